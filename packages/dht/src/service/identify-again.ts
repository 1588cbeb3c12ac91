import type { Logger, PeerId, PeerInfo } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { isConnectedTo } from '../peers/connect.ts'
import { pointOfPeer } from '../peers/key-space.ts'
import type { KnownPeers } from '../peers/known-peers.ts'
import { wait } from '../timing/wait.ts'

/** Nearest peers considered, and connections opened at once. All other peers learn of the node from these. */
const MAX_CANDIDATES = 64
const MAX_TOLD = 20

/** Milliseconds for a dial, and for the neighbour to read this node's protocols. */
const DIAL_TIMEOUT_MS = 5000
const OPEN_MS = 3000

export interface IdentifyAgainInit {
  readonly connectionManager: ConnectionManager

  readonly self: PeerId
  readonly routing: Pick<KnownPeers, 'nearest'>
  readonly lifetime: AbortSignal
  readonly log: Logger
}

/**
 * Lets connected neighbours learn that this node has begun to serve. libp2p identifies a peer once for each
 * connection, and applications may lack identify push: a second connection, which closes a moment later, works with all.
 */
export async function identifyAgain(init: IdentifyAgainInit): Promise<void> {
  const { connectionManager, routing, self } = init
  const neighbours = routing.nearest(pointOfPeer(self), MAX_CANDIDATES)
  const connected = neighbours.filter(({ id }) => isConnectedTo(connectionManager, id))
  await Promise.all(connected.slice(0, MAX_TOLD).map((peer) => connectTwice(peer, init)))
}

async function connectTwice(
  { id }: PeerInfo,
  { connectionManager, lifetime, log }: IdentifyAgainInit
): Promise<void> {
  try {
    const signal = AbortSignal.any([lifetime, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    const connection = await connectionManager.openConnection(id, { force: true, signal })
    await wait(OPEN_MS, lifetime)
    await connection.close({ signal: lifetime })
  } catch (error) {
    log('could not connect a second time to %p - %e', id, error)
  }
}
