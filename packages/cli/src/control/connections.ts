import type { Connection, PeerId } from '@libp2p/interface'
import type { DHT } from '@waggle/dht'
import { findWaggle } from '@waggle/dht/lookup'
import { visible } from '../text/json.ts'

/** Characters shown of a peer's program name. */
const MAX_AGENT_LENGTH = 64

/** A connection with a peer. */
export interface PeerConnection {
  readonly id: string

  /** The peer's agent version from identify; empty before. */
  readonly agent: string
  readonly address: string
  readonly direction: 'inbound' | 'outbound'
  readonly transport: string

  /** Milliseconds of a round trip, as last measured. */
  readonly roundTripMs?: number | undefined

  /** Unix time in seconds when it was opened. */
  readonly since: number

  /** Whether the peer is a server of this network. */
  readonly isServer: boolean

  /** Keys that the peer read or stored here. */
  readonly servedKeys: number
}

/** Lists a node's connections with the names of the peers' programs. */
export class Connections {
  readonly #dht: DHT
  readonly #agents = new WeakMap<Connection, string>()

  constructor(dht: DHT) {
    this.#dht = dht
  }

  async list(): Promise<PeerConnection[]> {
    const { libp2p } = this.#dht
    const waggle = findWaggle(libp2p.services)
    return Promise.all(
      libp2p.getConnections().map(async (connection) => ({
        id: connection.remotePeer.toString(),
        agent: await this.#agentOf(connection),
        address: connection.remoteAddr.toString().replace(/\/p2p\/[^/]+$/, ''),
        direction: connection.direction,
        transport: transportOf(connection.remoteAddr.toString()),
        roundTripMs: connection.rtt,
        since: connection.timeline.open / 1000,
        isServer: waggle?.isJoined(connection.remotePeer) ?? false,
        servedKeys: waggle?.servedKeysOf(connection.remotePeer) ?? 0
      }))
    )
  }

  /** Reads the name once: identify completes soon after the connection opens. */
  async #agentOf(connection: Connection): Promise<string> {
    const known = this.#agents.get(connection) ?? (await this.#readAgent(connection.remotePeer))

    if (known !== '') {
      this.#agents.set(connection, known)
    }

    return known
  }

  async #readAgent(peer: PeerId): Promise<string> {
    const { metadata } = await this.#dht.libp2p.peerStore.get(peer).catch(() => ({
      metadata: new Map<string, Uint8Array>()
    }))
    const text = new TextDecoder().decode(metadata.get('AgentVersion'))
    return visible(text.slice(0, MAX_AGENT_LENGTH))
  }
}

/** Names the transport of an address. */
export function transportOf(address: string): string {
  const [, name = 'other'] =
    [
      ['/p2p-circuit', 'relay'],
      ['/webrtc', 'WebRTC'],
      ['/webtransport', 'WebTransport'],
      ['/tls/ws', 'wss'],
      ['/wss', 'wss'],
      ['/ws', 'ws'],
      ['/quic', 'QUIC'],
      ['/tcp/', 'TCP']
    ].find(([part = '']) => address.includes(part)) ?? []
  return name
}
