import type { PeerId, TypedEventTarget } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { TaskQueue } from '../admission/task-queue.ts'
import { SEARCH_WIDTH } from '../constants.ts'
import type { DHTEvents } from '../events.ts'
import type { RecordChannel } from '../lookup/record-channel.ts'
import { isConnectedTo } from '../peers/connect.ts'
import type { KnownPeers } from '../peers/known-peers.ts'
import type { PeerBook } from '../peers/peer-book.ts'
import { inTime } from '../timing/in-time.ts'
import type { Dialer } from '../wire/dialer.ts'
import { NetworkMerge } from './network-merge.ts'

/**
 * Milliseconds within which a peer that dialled this node is asked for neighbours. It was named to all of its neighbours,
 * and they to each other: at the same moment, each two of them would dial each other twice.
 */
const ASK_WITHIN_MS = 500

/** Neighbours dialled at once. On a busy machine, more dials would slow each other down until all time out. */
export const MAX_NEIGHBOUR_DIALS = 8

/** Those of one node: the dead neighbours of one keep no other waiting. */
export const MAX_NEIGHBOUR_DIALS_PER_NODE = 6

/** Dials of all nodes of a process, which share its event loop and take turns. */
const neighbourDials = new TaskQueue({
  maxRunning: MAX_NEIGHBOUR_DIALS,
  maxRunningPerPeer: MAX_NEIGHBOUR_DIALS_PER_NODE
})

export interface MergeOnInboundInit {
  readonly self: PeerId
  readonly connectionManager: ConnectionManager
  readonly dialer: Dialer
  readonly events: TypedEventTarget<DHTEvents>
  readonly channel: RecordChannel
  readonly peers: PeerBook
  readonly routing: KnownPeers
  readonly requestTimeoutMs: number

  /** Neighbours that this node connects to. */
  readonly neighbourCount: () => number
}

/**
 * Merges this network with that of each unknown peer that dials this node, until the signal is aborted. The dialled
 * peer sends the request, because the dialler already knows it. Peers that know each other send none.
 */
export function mergeOnInbound(init: MergeOnInboundInit, signal: AbortSignal): NetworkMerge {
  const { self, channel, connectionManager, dialer, events, peers, routing } = init
  const { neighbourCount, requestTimeoutMs } = init
  const merge = new NetworkMerge({
    ...{ self, peers, neighbourCount },
    async ask(peer, key) {
      // A peer that has disconnected is not worth a dial: others name the same neighbours.
      if (!isConnectedTo(connectionManager, peer)) {
        return []
      }

      const options = { closerCount: SEARCH_WIDTH, isCloserAlways: true }
      const asked = channel.find({ id: peer, multiaddrs: [] }, key, options)
      return (await inTime(asked, requestTimeoutMs)).closer
    },
    connect: (contact) =>
      dialer.connect(contact, {
        ...{ signal, task: 'neighbours', timeoutMs: requestTimeoutMs },
        runLimited: (attempt) =>
          neighbourDials.run(self.toString(), async () => {
            signal.throwIfAborted()

            // The peer may have dialled this node meanwhile, and disconnected since.
            if (!routing.has(contact.id)) {
              await attempt(signal)
            }
          })
      }),
    nearest: (target, count) => routing.nearest(target, count),
    isKnown: (peer) => routing.has(peer),
    now: () => performance.now()
  })

  events.addEventListener(
    'peer:found',
    ({ detail: peer }) => {
      if (connectionManager.getConnections(peer).some(({ direction }) => direction === 'inbound')) {
        const ask = (): void => {
          signal.aborted || merge.discover(peer)
        }
        setTimeout(ask, Math.random() * ASK_WITHIN_MS).unref?.()
      }
    },
    { signal }
  )

  return merge
}
