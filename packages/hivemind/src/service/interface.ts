import type {
  ComponentLogger,
  Libp2pEvents,
  Metrics,
  PeerId,
  PrivateKey,
  TypedEventTarget
} from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import type { AllowPeer, ClockSkew } from '@waggle/dht'
import type { DHTId } from '../keys/dht-id.ts'
import type { HivemindOperations } from '../operations/operations.ts'
import type { HivemindLimits } from '../replica/limits.ts'
import type { HivemindValidator } from '../validators/interface.ts'
import type { HivemindCacheOptions } from '../waggle-parts.ts'
import type { PingResponse } from '../wire/messages.ts'

/** Limits of records, and of the server's resources under the names that `@waggle/dht` uses. */
export interface HivemindNodeLimits extends HivemindLimits {
  /** Records held for others. */
  readonly maxStoredRecords: number

  /** Bytes of records held for others. */
  readonly maxStoredBytes: number

  /** Bytes of cached records. */
  readonly maxCachedBytes: number

  /** One peer's calls in progress. */
  readonly maxRequestsPerPeer: number

  /** All peers' calls in progress. */
  readonly maxRequests: number

  /** Bytes of one peer's incomplete calls. */
  readonly maxBufferedBytesPerPeer: number

  /** Bytes of all peers' incomplete calls. */
  readonly maxBufferedBytes: number

  /** Keys per second that one peer may read or write. */
  readonly maxKeysPerSecondPerPeer: number

  /** Keys per second that all peers may read or write. */
  readonly maxKeysPerSecond: number
}

/** Options of the service. Names and defaults are Hivemind's. */
export interface HivemindInit {
  /**
   * This node's position in the key space, 20 bytes.
   *
   * @default random at each start, as in Hivemind
   */
  nodeId?: Uint8Array | undefined

  /** @default DEFAULTS.bucketSize */
  bucketSize?: number | undefined

  /** @default DEFAULTS.numReplicas */
  numReplicas?: number | undefined

  /** @default DEFAULTS.requestTimeoutMs */
  requestTimeoutMs?: number | undefined

  /**
   * Makes a node that only reads and writes: it serves no requests and is in no routing table.
   *
   * @default false
   */
  clientMode?: boolean | undefined

  /**
   * The cache of read records; false: no cache.
   *
   * @default those of Hivemind, see HivemindCacheOptions
   */
  cache?: false | HivemindCacheOptions | undefined

  /** @default DEFAULTS.limits */
  limits?: Partial<HivemindNodeLimits> | undefined

  /** @default [] */
  validators?: readonly HivemindValidator[] | undefined

  /**
   * Decides which peers may make requests, and which may store here.
   *
   * @default all peers
   */
  allowPeer?: AllowPeer | undefined
}

/** The libp2p components that the service needs. */
export interface HivemindComponents {
  peerId: PeerId
  privateKey: PrivateKey
  connectionManager: ConnectionManager
  events: TypedEventTarget<Libp2pEvents>
  logger: ComponentLogger
  metrics?: Metrics
  registrar: Registrar
}

/** A node's events, by their names in `addEventListener`. */
export interface HivemindEvents {
  /** A node was added to the routing table. `detail` is its peer id. */
  'peer:join': CustomEvent<PeerId>

  /** An unresponsive node was removed from the routing table. `detail` is its peer id. */
  'peer:leave': CustomEvent<PeerId>

  /** The clocks of a peer and of this node differ by more than 3 seconds. `detail` has the difference. */
  'clock:skew': CustomEvent<ClockSkew>

  /** This node stores a new record for others. */
  'record:stored': CustomEvent<HivemindNotice>

  /** A record that this node held for others has expired. */
  'record:expired': CustomEvent<Pick<HivemindNotice, 'id'>>
}

/** A record that this node holds. The node does not know its key, only the key's SHA-1. */
export interface HivemindNotice {
  readonly id: Uint8Array

  /** Expiration of its last entry, in DHT time (seconds). */
  readonly expirationTime: number
}

/** A node's figures. */
export interface HivemindStats {
  /** Records held for others. */
  readonly records: number

  /** Bytes of records held for others. */
  readonly bytes: number
  readonly cachedRecords: number
  readonly cachedBytes: number

  /** Nodes in the routing table. */
  readonly knownPeers: number

  /** Connected peers. */
  readonly peers: number

  /** Calls of other peers in progress. */
  readonly requests: number

  /** Median of the milliseconds by which peers' clocks are ahead of this node's; undefined without a reading. */
  readonly clockSkewMs: number | undefined
}

/** The name of the service and its capability. */
export const SERVICE = '@waggle/hivemind'

/** The service that `hivemind()` adds to a libp2p node. Use it through `HivemindDHT.create({ libp2p: node })`. */
export interface Hivemind {
  readonly [Symbol.toStringTag]: typeof SERVICE
  readonly clientMode: boolean

  /** This node's position in the key space. */
  readonly nodeId: DHTId

  /** The connected peers. */
  readonly peers: PeerId[]

  /** Nodes in the routing table. */
  readonly knownPeers: PeerId[]
  readonly events: TypedEventTarget<HivemindEvents>
  stats(): HivemindStats

  /** Requests a peer's node id and time and, if this node is a server, checks that the peer can connect to it. */
  introduce(peer: PeerId): Promise<PingResponse>

  /** Requests a peer's node id and time. */
  ping(peer: PeerId): Promise<PingResponse>

  /** Finds the nodes near this one. */
  lookAround(): Promise<void>

  /** The operations. Their calls end with the given lifetime or with the node. */
  operations(lifetime: AbortSignal): HivemindOperations
}
