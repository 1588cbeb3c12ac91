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
import type { NodeLimits } from '../node-limits.ts'
import type { WaggleOperations } from '../operations/waggle-operations.ts'
import type { AllowPeer } from '../peers/access.ts'
import type { PeerMemory } from '../persistence/peer-memory.ts'
import type { PersistenceOptions } from '../persistence/persistence.ts'
import type { CacheOptions } from '../reading/cache-policy.ts'
import type { HeldRecord } from '../store/held-record.ts'
import type { Stats } from './stats.ts'

/** How the service replicates, and where it keeps what it holds. */
export interface WaggleInit extends PersistenceOptions {
  /**
   * How many peers hold a record.
   *
   * @default DEFAULT_NUM_REPLICAS
   */
  numReplicas?: number | undefined

  /**
   * Milliseconds that one peer may take to answer one request.
   *
   * @default DEFAULT_REQUEST_TIMEOUT_MS
   */
  requestTimeoutMs?: number | undefined

  /**
   * How this node remembers what it has read; false: not at all.
   *
   * @default the defaults of CacheOptions
   */
  cache?: false | CacheOptions | undefined

  /**
   * What this node lets others take of it. How much is held for others is an option of
   * `waggleKadDHT({ records })`.
   *
   * @default DEFAULT_NODE_LIMITS
   */
  limits?: Partial<Omit<NodeLimits, `maxStored${string}`>> | undefined

  /**
   * Says who may read what this node holds, and who may store here. Connections are the node's own
   * affair: see libp2p's `connectionGater`. So is finding peers by kad-dht's messages, and what the
   * time is here anybody may ask.
   *
   * @default everybody
   */
  allowPeer?: AllowPeer | undefined
}

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
