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
import type { AddressManager, ConnectionManager, Registrar } from '@libp2p/interface-internal'
import type { RecordValidator } from '@waggle/record'
import type { ClockReading } from '../clock-reading.ts'
import type { DHTEvents } from '../events.ts'
import type { BaseOperations } from '../operations/base-operations.ts'
import type { PeerMemory } from '../persistence/peer-memory.ts'
import type { HeldRecord } from '../store/held-record.ts'
import type { Stats } from './stats.ts'

/** Components that libp2p passes to the service. */
export interface WaggleComponents {
  addressManager: AddressManager
  peerId: PeerId
  connectionManager: ConnectionManager
  events: TypedEventTarget<Libp2pEvents>
  logger: ComponentLogger
  metrics?: Metrics
  peerStore: PeerStore
  privateKey: PrivateKey
  registrar: Registrar
}

/** Name of the service and its capability. */
export const SERVICE = '@waggle/dht'

/** The service that `waggle()` adds to a libp2p node. Use it by `DHT.create({ libp2p: node })`. */
export interface Waggle {
  readonly [Symbol.toStringTag]: typeof SERVICE

  /** Whether this node stores no records for others and appears in no routing table. */
  readonly clientMode: boolean

  /** Connected peers. */
  readonly peers: PeerId[]

  /** kad-dht's protocol, which names the network. */
  readonly protocol: string

  /** The name of the network. */
  readonly network: string

  /** Persists known peers, if there is a disk. */
  readonly peerMemory: PeerMemory | undefined

  /** Events of this node. */
  readonly events: TypedEventTarget<DHTEvents>

  stats(): Stats

  /** Returns the number of keys that one peer recently read or stored here. */
  servedKeysOf(peer: PeerId): number

  /** Lists all live records that this node stores for others. */
  heldRecords(): Iterable<HeldRecord>

  /** Adds validators for this node as a replica, as a reader and as a writer. */
  addValidators(...validators: readonly RecordValidator[]): void

  /** Removes validators, each as often as it was added. */
  removeValidators(...validators: readonly RecordValidator[]): void

  /** Connected servers of the network. */
  readonly joinedPeers: PeerId[]

  /** Whether a peer is a connected server of the network. */
  isJoined(peer: PeerId): boolean

  /** Whether a peer is banned. */
  isBanned(peer: PeerId): boolean

  /** Discovers in the background the peers that a connected peer knows. */
  discover(peer: PeerId): void

  /** Counts an attempt to join through a peer. */
  countJoin(): void

  /** Requests a connected peer's time. Undefined if the peer does not send it, as plain kad-dht peers do not. */
  compareClocks(peer: PeerId, options?: AbortOptions): Promise<ClockReading | undefined>

  /** Creates the operations, whose calls end with the given lifetime or with the node. */
  operations(lifetime: AbortSignal): BaseOperations
}
