import type { Libp2p, PeerId, PrivateKey, ServiceMap, Stream } from '@libp2p/interface'
import { isRecordKey } from '@waggle/record/replica'
import { vi } from 'vitest'
import { DEFAULT_KAD_PROTOCOL } from '../../src/constants.ts'
import { EXCHANGE_PROTOCOL, type Message } from '../../src/exchange/messages.ts'
import { MAX_STREAMS_PER_PEER } from '../../src/wire/limits.ts'
import { Mailbox } from './exchange-mailbox.ts'
import { Talker } from './exchange-talker.ts'
import { nothing } from './find-answers.ts'
import { basicServices, type DisposableNode, kadOf, libp2pNode } from './libp2p-node.ts'

type Node = Libp2p<ServiceMap>

interface HasNode {
  readonly libp2p: Node
}

/** Records the types of kad-dht's requests that these nodes send from now on. */
export function kadRequests(nodes: readonly HasNode[]): readonly string[] {
  const types: string[] = []

  for (const { libp2p } of nodes) {
    const { network } = kadOf(libp2p)
    const send = network.sendRequest.bind(network)

    vi.spyOn(network, 'sendRequest').mockImplementation((to, message, options) => {
      types.push(message.type)
      return send(to, message, options)
    })
  }

  return types
}

/** Lists a node's open exchange streams with a peer, in both directions. */
export function exchangeStreams({ libp2p }: HasNode, peer: PeerId): Stream[] {
  return libp2p
    .getConnections(peer)
    .flatMap(({ streams }) => streams)
    .filter(({ protocol }) => protocol === EXCHANGE_PROTOCOL)
}

/** A peer outside the network that sends any messages to one of its servers. */
export interface Stranger extends AsyncDisposable {
  readonly node: DisposableNode

  /** Opens a stream. */
  talk(): Promise<Talker>
}

export async function strangerTo(peer: HasNode): Promise<Stranger> {
  const node = await libp2pNode(basicServices())
  await node.dial(peer.libp2p.getMultiaddrs())

  return {
    node,
    async talk() {
      const options = { maxOutboundStreams: 10 * MAX_STREAMS_PER_PEER }
      return new Talker(await node.dialProtocol(peer.libp2p.peerId, EXCHANGE_PROTOCOL, options))
    },
    async [Symbol.asyncDispose]() {
      await node.stop()
    }
  }
}

/** Whether a message asks a new peer for the neighbours of the asker (N8i). */
export function isGreeting(message: Message): boolean {
  return message.name === 'find' && !message.keys.some(({ key }) => isRecordKey(key))
}

/** A peer that looks like a server of the network. A test controls its answers. */
export interface Impostor extends AsyncDisposable {
  readonly node: DisposableNode

  /** The streams on which other peers have requested or stored a record. */
  readonly talkers: Mailbox<Talker>
}

export async function impostor(privateKey?: PrivateKey): Promise<Impostor> {
  const node = await libp2pNode(basicServices(), privateKey && { privateKey })
  const talkers = new Mailbox<Talker>()
  await node.handle(DEFAULT_KAD_PROTOCOL, () => {})
  await node.handle(EXCHANGE_PROTOCOL, (stream) => {
    let isHandedOut = false
    const talker: Talker = new Talker(stream, undefined, (message) => {
      if (isGreeting(message)) {
        talker.say({ name: 'found', id: message.id, peers: [], answers: [nothing()] })
        return true
      }

      if (!isHandedOut) {
        isHandedOut = true
        talkers.push(talker)
      }

      return false
    })
  })

  return {
    node,
    talkers,
    async [Symbol.asyncDispose]() {
      await node.stop()
    }
  }
}
