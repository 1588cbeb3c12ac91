import { type Identify, identify } from '@libp2p/identify'
import type {
  AbortOptions,
  Connection,
  Libp2p,
  PeerId,
  PeerInfo,
  ServiceMap
} from '@libp2p/interface'
import { type KadDHT, MessageType } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2pOptions, type ServiceFactoryMap } from 'libp2p'
import { vi } from 'vitest'
import { internalsOf, type KadInternals, NO_PATH } from '../../src/kad/internals.ts'
import { pointOfPeer } from '../../src/peers/key-space.ts'
import { peerNumber } from './numbered-peers.ts'

/** Milliseconds for peers to learn of each other on a busy machine, and between two looks. */
export const PATIENCE = { timeout: 20_000, interval: 20 }

/** Options of tests in which no request may fail because the machine is busy. */
export const UNHURRIED = { requestTimeoutMs: 30_000 }

/** The services that kad-dht needs. */
export interface BasicServices extends ServiceMap {
  identify: Identify
  ping: Ping
}

export type DisposableNode<S extends ServiceMap = BasicServices> = Libp2p<S> & AsyncDisposable

/** Creates new services for each node. */
export function basicServices(): ServiceFactoryMap<BasicServices> {
  return { identify: identify(), ping: ping() }
}

/** Starts a node as an application would, on a free loopback port. */
export async function libp2pNode<S extends ServiceMap>(
  services: ServiceFactoryMap<S>,
  connections: Pick<
    Libp2pOptions,
    | 'addresses'
    | 'connectionEncrypters'
    | 'connectionManager'
    | 'privateKey'
    | 'streamMuxers'
    | 'transports'
  > = {}
): Promise<DisposableNode<S>> {
  const node = await createLibp2p<S>({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: 256, maxIncomingPendingConnections: 256 },
    connectionMonitor: { abortConnectionOnPingFailure: false },
    ...connections,
    services
  })

  return Object.assign(node, { [Symbol.asyncDispose]: async () => node.stop() })
}

/** Returns the host and port at which a node listens. */
export function tcpAddressOf(node: Libp2p): string {
  const [address] = node.getMultiaddrs()
  return `127.0.0.1:${address?.getComponents().find(({ name }) => name === 'tcp')?.value}`
}

/** Returns yamux below a connection. */
export function muxerOf(connection: Connection): { ping(): Promise<number> } {
  return Reflect.get(connection, 'muxer')
}

/** Returns the internals of a node's kad-dht. */
export function kadOf(node: Libp2p<ServiceMap>): KadInternals {
  return internalsOf(Reflect.get(node.services, 'dht') as KadDHT)
}

/** Asks a peer for its protocols, as a node does that connects to it. */
export async function protocolsOf(
  { peerId }: { readonly peerId: PeerId },
  node: Libp2p<ServiceMap>
): Promise<string[]> {
  const { identify: identifying } = node.services as BasicServices
  const [connection] = node.getConnections(peerId)

  if (connection === undefined) {
    throw new Error(`${node.peerId} is not connected to ${peerId}`)
  }

  return (await identifying.identify(connection)).protocols
}

/** Whether a peer is in a node's routing table. */
export function knows(node: Libp2p<ServiceMap>, peer: PeerId): boolean {
  const nearest = kadOf(node).routingTable.closestPeers(pointOfPeer(peer), { count: 1 })
  return nearest.some((known) => known.equals(peer))
}

/** Asks a peer for the peers nearest to a third one, by kad-dht's own message. */
export async function namedBy(
  node: Libp2p<ServiceMap>,
  peer: PeerId,
  options: AbortOptions
): Promise<readonly PeerInfo[]> {
  const message = { type: MessageType.FIND_NODE, key: peerNumber(1).toMultihash().bytes }
  const { network } = kadOf(node)

  for await (const event of network.sendRequest(peer, message, { ...options, path: NO_PATH })) {
    if (event.name === 'PEER_RESPONSE') {
      return event.closer
    }
  }

  throw new Error(`${peer} does not answer`)
}

/** Connects all nodes with each other, and waits until each is in all routing tables. */
export async function acquaint(...nodes: readonly Libp2p<ServiceMap>[]): Promise<void> {
  const pairs = nodes.flatMap((a, i) => nodes.slice(i + 1).map((b) => [a, b] as const))
  await Promise.all(pairs.map(([a, b]) => a.dial(b.getMultiaddrs())))
  await untilKnown(pairs.flatMap(([a, b]) => [[a, b] as const, [b, a] as const]))
}

/** Waits until the first of each pair has the second in its routing table. */
export async function untilKnown(
  pairs: readonly (readonly [Libp2p<ServiceMap>, { readonly peerId: PeerId }])[]
): Promise<void> {
  await vi.waitUntil(async () => {
    const unknown = pairs.filter(([node, peer]) => !knows(node, peer.peerId))
    await Promise.allSettled(unknown.map(([node, peer]) => addToTable(node, peer.peerId)))
    return unknown.length === 0
  }, PATIENCE)
}

/**
 * Adds a peer to a routing table. kad-dht does so by itself, but only once, so that a peer that is slow at that
 * moment is left out.
 */
async function addToTable(node: Libp2p<ServiceMap>, peer: PeerId): Promise<void> {
  const table = kadOf(node).routingTable as unknown as { add(peer: PeerId): Promise<void> }
  await table.add(peer)
}
