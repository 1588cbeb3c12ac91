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

/** Limits of records, and of what others take of this node by the names of `@waggle/dht`. */
export interface HivemindNodeLimits extends HivemindLimits {
  /** Records held for others. */
  readonly maxStoredRecords: number

  /** Their bytes. */
  readonly maxStoredBytes: number

  /** Bytes of records that are remembered. */
  readonly maxCachedBytes: number

  /** Calls of one peer being answered. */
  readonly maxRequestsPerPeer: number

  /** Calls of all peers being answered. */
  readonly maxRequests: number

  /** Bytes of one peer's calls that wait for their rest. */
  readonly maxBufferedBytesPerPeer: number

  /** The same of all peers. */
  readonly maxBufferedBytes: number

  /** Keys that one peer may ask for or write to in a second. */
  readonly maxKeysPerSecondPerPeer: number

  /** The same of all peers. */
  readonly maxKeysPerSecond: number
}

/** How a node takes part. Names and defaults are Hivemind's. */
export interface HivemindInit {
  /**
   * This node's place in the key space, 20 bytes.
   *
   * @default another one each time, as in Hivemind
   */
  nodeId?: Uint8Array | undefined

  /** @default DEFAULT_BUCKET_SIZE */
  bucketSize?: number | undefined

  /** @default DEFAULT_NUM_REPLICAS */
  numReplicas?: number | undefined

  /** @default DEFAULT_REQUEST_TIMEOUT_MS */
  requestTimeoutMs?: number | undefined

  /**
   * Only reads and writes: serves nothing, and is in nobody's table.
   *
   * @default false
   */
  clientMode?: boolean | undefined

  /**
   * How this node remembers what it has read; false: not at all.
   *
   * @default those of Hivemind, see HivemindCacheOptions
   */
  cache?: false | HivemindCacheOptions | undefined

  /** @default DEFAULT_HIVEMIND_LIMITS, and those of `@waggle/dht` */
  limits?: Partial<HivemindNodeLimits> | undefined

  /** @default [] */
  validators?: readonly HivemindValidator[] | undefined

  /**
   * Says who may ask this node, and who may store here.
   *
   * @default everybody
   */
  allowPeer?: AllowPeer | undefined
}

/** What libp2p hands to the service. */
export interface HivemindComponents {
  peerId: PeerId
  privateKey: PrivateKey
  connectionManager: ConnectionManager
  events: TypedEventTarget<Libp2pEvents>
  logger: ComponentLogger
  metrics?: Metrics
  registrar: Registrar
}

/** What happens to a node, by the name under which `addEventListener` hears of it. */
export interface HivemindEvents {
  /** A node has come into the routing table. `detail` is its peer id. */
  'peer:join': CustomEvent<PeerId>

  /** A node that did not answer was struck from it. `detail` is its peer id. */
  'peer:leave': CustomEvent<PeerId>

  /** The clocks of a peer and of this node differ by more than 3 seconds. `detail` says by how much. */
  'clock:skew': CustomEvent<ClockSkew>

  /** This node holds something new for others. */
  'record:stored': CustomEvent<HivemindNotice>

  /** What this node held for others has expired. */
  'record:expired': CustomEvent<Pick<HivemindNotice, 'id'>>
}

/** A record that this node holds. Its key is not known, only the SHA-1 of it. */
export interface HivemindNotice {
  readonly id: Uint8Array

  /** DHT time, seconds: when the last of it expires. */
  readonly expirationTime: number
}

/** What there is to see of a node. */
export interface HivemindStats {
  /** Records held for others. */
  readonly records: number

  /** Bytes they take. */
  readonly bytes: number
  readonly cachedRecords: number
  readonly cachedBytes: number

  /** Nodes in the routing table. */
  readonly knownPeers: number

  /** Peers connected to. */
  readonly peers: number

  /** Calls of others being answered. */
  readonly requests: number

  /** Median of the milliseconds by which peers' clocks are ahead of this node's; undefined without a reading. */
  readonly clockSkewMs: number | undefined
}

/** The name of the service and its capability. */
export const SERVICE = '@waggle/hivemind'

/** What `hivemind()` adds to a libp2p node. `HivemindDHT.create({ libp2p: node })` is the way to use it. */
export interface Hivemind {
  readonly [Symbol.toStringTag]: typeof SERVICE
  readonly clientMode: boolean

  /** This node's place in the key space. */
  readonly nodeId: DHTId

  /** The peers that this node is connected to. */
  readonly peers: PeerId[]

  /** Nodes in the routing table. */
  readonly knownPeers: PeerId[]
  readonly events: TypedEventTarget<HivemindEvents>
  stats(): HivemindStats

  /** Asks a peer for its node id and time, and, if this node serves, whether it can be reached. */
  introduce(peer: PeerId): Promise<PingResponse>

  /** Asks a peer for its node id and time. */
  ping(peer: PeerId): Promise<PingResponse>

  /** Gets to know the nodes near to this one. */
  lookAround(): Promise<void>

  /** The operations, whose calls end with the given lifetime or with the node. */
  operations(lifetime: AbortSignal): HivemindOperations
}
