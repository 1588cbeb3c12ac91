/** kad-dht's protocol in networks made by `DHT.create`. Peers of another protocol are another network. */
export const DEFAULT_KAD_PROTOCOL = '/waggle/kad/1.0.0'

/** When a write is acknowledged by a node that keeps its records on disk. */
export const DEFAULT_DURABILITY = 'written'

/** How many peers hold a record. Hivemind's num_replicas. */
export const DEFAULT_NUM_REPLICAS = 5

/** How long one peer may take to answer one request. Hivemind's wait_timeout. */
export const DEFAULT_REQUEST_TIMEOUT_MS = 3000

/** How long a whole call may take. */
export const DEFAULT_CALL_TIMEOUT_MS = 30_000

/** How long `DHT.create` waits for an initial peer to answer. */
export const DEFAULT_BOOTSTRAP_TIMEOUT_MS = 10_000

/** How long a get waits for one peer before it asks the next one, too. */
export const HEDGE_MS = 100

/** How many peers are asked before a key counts as absent: Kademlia's k (§2.3 of the paper). */
export const SEARCH_WIDTH = 20

/** How many searches of one node are under way at once: a few times what one storeMany and one getMany need. */
export const MAX_LOOKUPS_UNDER_WAY = 4096

/** How many operations of one storeMany or getMany are under way at once. */
export const MANY_UNDER_WAY = 1024

/** How many bytes of records one storeMany has under way at once. */
export const MANY_BYTES_UNDER_WAY: number = 8 * 1024 * 1024

/** How long a peer that failed once is avoided; doubles with each further failure. */
export const FIRST_AVOIDANCE_MS = 1000

/** No peer is avoided for longer. */
export const MAX_AVOIDANCE_MS = 300_000

/** How many owners' signatures a node remembers as verified: those of so many entries. 2 MB, or less. */
export const MAX_REMEMBERED_SIGNATURES = 20_000

/** How long a validator may take to answer about one entry before that counts as a refusal. */
export const VALIDATOR_TIMEOUT_MS = 1000

/** How often what has expired is removed from memory. It is never returned in the meantime. */
export const SWEEP_INTERVAL_MS = 10_000

/** What `limits.maxRecordBytes` may be raised to: a record and its key must fit a message, ours or kad-dht's. */
export const LARGEST_MAX_RECORD_BYTES: number = 3 * 1024 * 1024

/** What `limits.maxKeyBytes` may be raised to. */
export const LARGEST_MAX_KEY_BYTES = 60_000

/**
 * How long a change may wait in memory before it is written to disk, with `durability: 'relaxed'`:
 * what the end of the process may lose, besides what is being written.
 */
export const RELAXED_FLUSH_MS = 200

/** How long to wait after the disk has failed before it is tried again; doubles each time. */
export const FIRST_WRITE_RETRY_MS = 1000

/** A disk that fails is tried again at least this often. */
export const MAX_WRITE_RETRY_MS = 30_000

/** Room on disk that replaced records may always take, however few records there are. */
export const COMPACTION_SLACK_BYTES: number = 32 * 1024 * 1024
