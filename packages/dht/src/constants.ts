/** kad-dht's protocol in networks made by `DHT.create`. Peers with another protocol are in another network. */
export const DEFAULT_KAD_PROTOCOL = '/waggle/kad/1.0.0'

/** Address that a node listens on. */
export const DEFAULT_LISTEN_ON = '127.0.0.1:0'

/** Durability of acknowledged writes at a node that keeps its records on disk. */
export const DEFAULT_DURABILITY = 'written'

/** Peers that store a record. Hivemind's num_replicas. */
export const DEFAULT_NUM_REPLICAS = 5

/** Milliseconds for which a peer may make no progress. Hivemind's wait_timeout. */
export const DEFAULT_REQUEST_TIMEOUT_MS = 3000

/** Milliseconds that a whole call may take. */
export const DEFAULT_CALL_TIMEOUT_MS = 30_000

/** Milliseconds that `DHT.create` waits for an initial peer. */
export const DEFAULT_BOOTSTRAP_TIMEOUT_MS = 10_000

/** Milliseconds after which a get queries one more peer. */
export const HEDGE_MS = 100

/** Minimum milliseconds without progress after which a peer is suspected. Less may be a busy processor. */
export const MIN_SUSPECT_MS = 400

/** Milliseconds without progress after which a peer without measured response times is suspected. */
export const FIRST_SUSPECT_MS = 600

/** Milliseconds without progress after which any peer is suspected. */
export const MAX_SUSPECT_MS = 1000

/** Peers queried before a key counts as absent: Kademlia's k (§2.3 of the paper). */
export const SEARCH_WIDTH = 20

/** Peers that one lookup remembers: several times as many as it meets in a network of any size. */
export const MAX_LOOKUP_CANDIDATES = 256

/** Peers that one lookup queries. A miss takes 20, and some more if some fail. */
export const MAX_LOOKUP_REQUESTS = 64

/** Lookups of one node in flight: a few times as many as one storeMany and one getMany need. */
export const MAX_LOOKUPS_IN_FLIGHT = 4096

/** Operations of one storeMany or getMany in flight. */
export const MANY_UNDER_WAY = 1024

/** Bytes of records of one storeMany in flight. */
export const MANY_BYTES_UNDER_WAY: number = 8 * 1024 * 1024

/** Milliseconds for which a peer is avoided after one failure. Doubles with each further failure. */
export const FIRST_AVOIDANCE_MS = 1000

/** Milliseconds for which a peer is avoided at most. */
export const MAX_AVOIDANCE_MS = 300_000

/** Verified signatures remembered, one per entry: 2 MB or less. */
export const MAX_REMEMBERED_SIGNATURES = 20_000

/** Milliseconds that a validator may take for one entry. After that the entry is refused. */
export const VALIDATOR_TIMEOUT_MS = 1000

/**
 * Largest value of `limits.maxRecordBytes`: a record and its key must fit a message of the exchange
 * and of kad-dht.
 */
export const LARGEST_MAX_RECORD_BYTES: number = 3 * 1024 * 1024

/** Largest value of `limits.maxKeyBytes`. */
export const LARGEST_MAX_KEY_BYTES = 60_000

/**
 * Milliseconds that a change may wait in memory with `durability: 'relaxed'`. The end of the process loses these
 * changes and those being written.
 */
export const RELAXED_FLUSH_MS = 200

/** Milliseconds until the first retry after the disk has failed. Doubles with each retry. */
export const FIRST_WRITE_RETRY_MS = 1000

/** Maximum milliseconds between two retries. */
export const MAX_WRITE_RETRY_MS = 30_000

/** Bytes of replaced records that may stay on disk, however few records there are. */
export const COMPACTION_SLACK_BYTES: number = 32 * 1024 * 1024

/** Seconds after which a member of a presence that crashed is gone. */
export const DEFAULT_PRESENCE_TTL = 30
