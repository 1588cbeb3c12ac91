import type {
  AbortOptions,
  ComponentLogger,
  Libp2pEvents,
  Metrics,
  PeerId,
  PeerStore,
  PrivateKey,
  TypedEventTarget
} from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import type { RecordValidator } from '@waggle/record'
import type { ClockReading } from '../clock-reading.ts'
import type { DHTEvents } from '../events.ts'
import type { WaggleOperations } from '../operations/waggle-operations.ts'
import type { PeerMemory } from '../persistence/peer-memory.ts'
import type { HeldRecord } from '../store/held-record.ts'
import type { Stats } from './stats.ts'

/** What libp2p hands to the service. */
export interface WaggleComponents {
  peerId: PeerId
  connectionManager: ConnectionManager
  events: TypedEventTarget<Libp2pEvents>
  logger: ComponentLogger
  metrics?: Metrics
  peerStore: PeerStore
  privateKey: PrivateKey
  registrar: Registrar
}

/** The name of the service and its capability. */
export const SERVICE = '@waggle/dht'

/** What `waggle()` adds to a libp2p node. `DHT.create({ libp2p: node })` is the way to use it. */
export interface Waggle {
  readonly [Symbol.toStringTag]: typeof SERVICE

  /** Whether this node holds no records for others and is in nobody's routing table. */
  readonly clientMode: boolean

  /** The peers that this node is connected to. */
  readonly peers: PeerId[]

  /** kad-dht's protocol, which names the network. */
  readonly protocol: string

  /** Remembers peers on disk, if there is one. */
  readonly peerMemory: PeerMemory | undefined

  /** What happens to this node. */
  readonly events: TypedEventTarget<DHTEvents>

  stats(): Stats

  /** All live records that this node holds for others. */
  heldRecords(): Iterable<HeldRecord>

  /** Adds rules for what this node holds as a replica, stores and reads. */
  addValidators(...validators: readonly RecordValidator[]): void

  /** Takes rules back that were added. Who adds the same ones twice takes them back twice. */
  removeValidators(...validators: readonly RecordValidator[]): void

  /** The connected peers that serve our network. */
  readonly joinedPeers: PeerId[]

  /** Whether a peer serves our network and is connected. */
  isJoined(peer: PeerId): boolean

  /** Whether a peer broke the protocol lately. */
  isBanned(peer: PeerId): boolean

  /** Gets to know, in the background, those whom a connected peer knows. */
  discover(peer: PeerId): void

  /** Asks a connected peer for its time. Undefined if it does not tell, as stock peers don't. */
  compareClocks(peer: PeerId, options?: AbortOptions): Promise<ClockReading | undefined>

  /** The operations, whose calls end with the given lifetime or with the node. */
  operations(lifetime: AbortSignal): WaggleOperations
}
