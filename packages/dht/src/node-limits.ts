/**
 * Limits of the resources that peers may use at a node, and of its own use. Unlike record limits (R12), these
 * concern one node only.
 */
export interface NodeLimits {
  /** Records stored for others. Beyond it, records are evicted, or the write is refused as full. */
  readonly maxStoredRecords: number

  /** Bytes of encoded records stored for others, in memory and on disk. Beyond it as beyond `maxStoredRecords`. */
  readonly maxStoredBytes: number

  /**
   * Records that one peer may have stored. As many as all: any peer may use free space, and eviction
   * begins with the heaviest writer. Lower it where no peer has reason to store so much. Beyond it,
   * the peer's own records are evicted, or the write is refused as full.
   */
  readonly maxStoredRecordsPerPeer: number

  /** Bytes that one peer may have stored. Additions to others' dictionaries count. */
  readonly maxStoredBytesPerPeer: number

  /**
   * Bytes of encoded records in the cache, beside `cache.size`. Beyond it, the entry that
   * expires first is dropped. Copies that other peers leave here take up to a quarter of it besides.
   */
  readonly maxCachedBytes: number

  /**
   * Bytes of one peer's input not yet processed and of responses that it does not read. The default
   * exceeds the 4 MiB that each of a peer's 4 streams may send unread. Beyond it, the peer's streams
   * with most are closed.
   */
  readonly maxBufferedBytesPerPeer: number

  /** Bytes buffered for all peers. Beyond it, streams of the peers with most are closed. */
  readonly maxBufferedBytes: number

  /**
   * Requests of one peer that are being answered, a quarter of them per stream. Beyond it, the
   * stream is not read.
   */
  readonly maxRequestsPerPeer: number

  /** Requests of all peers that are being answered. Beyond it, the answer is BUSY for peers with more than half of an equal share. */
  readonly maxRequests: number

  /**
   * Keys that one peer may read or write per second. The default is what one core can do, since
   * peers take turns anyway. Beyond it, the answer is BUSY and reading pauses briefly; watch and
   * compare requests wait.
   */
  readonly maxKeysPerSecondPerPeer: number

  /**
   * Keys that all peers may read or write per second. Beyond it as beyond `maxKeysPerSecondPerPeer`,
   * for peers that have had an equal part of it.
   */
  readonly maxKeysPerSecond: number

  /**
   * Dials per second to addresses that another peer named and where this node was never connected.
   * At most 8 addresses of one peer are dialled; a host name counts as 8. A burst may be twice the
   * rate. Beyond it, a dial waits for up to half of `requestTimeoutMs`, and then the peer is skipped.
   */
  readonly maxDialsPerSecond: number

  /**
   * Peers that this node notifies of one key, besides as many forwarders: peers that pass changes on to
   * as many others. Beyond it, a watcher is referred to forwarders.
   */
  readonly maxWatchersPerKey: number

  /** Keys whose changes this node forwards. Beyond it, a watcher turns to another forwarder. 0: none. */
  readonly maxForwardedKeys: number

  /** Calls of the application in flight. Beyond it, a call rejects with `BusyError`. */
  readonly maxCalls: number
}

const MAX_STORED_RECORDS = 100_000
const MAX_STORED_BYTES: number = 256 * 1024 * 1024

/** The default limits of a node. */
export const DEFAULT_NODE_LIMITS: NodeLimits = Object.freeze({
  maxStoredRecords: MAX_STORED_RECORDS,
  maxStoredBytes: MAX_STORED_BYTES,
  maxStoredRecordsPerPeer: MAX_STORED_RECORDS,
  maxStoredBytesPerPeer: MAX_STORED_BYTES,
  maxCachedBytes: 64 * 1024 * 1024,
  maxBufferedBytesPerPeer: 20 * 1024 * 1024,
  maxBufferedBytes: 256 * 1024 * 1024,
  maxRequestsPerPeer: 256,
  maxRequests: 8192,
  maxKeysPerSecondPerPeer: 50_000,
  maxKeysPerSecond: 200_000,
  maxDialsPerSecond: 256,
  maxWatchersPerKey: 128,
  maxForwardedKeys: 256,
  maxCalls: 100_000
})

/** Selects the node's limits from a caller's limits, and adds the defaults. */
export function nodeLimitsOf(given: Partial<NodeLimits> = {}): NodeLimits {
  return limitsOf(given, DEFAULT_NODE_LIMITS)
}

/** Selects the limits that have a default from those given. */
export function limitsOf<L extends object>(given: Partial<L>, defaults: L): L {
  const names = Object.keys(defaults) as (keyof L)[]
  return Object.fromEntries(names.map((name) => [name, given[name] ?? defaults[name]])) as L
}
