/** kad-dht's protocol in Hivemind's networks, by which nodes find each other's addresses. */
export const HIVEMIND_KAD_PROTOCOL = '/ipfs/kad/1.0.0'

/** Kademlia's k: nodes in a bucket, and nodes listed in a response. Hivemind's bucket_size. */
export const DEFAULT_BUCKET_SIZE = 20

/** Kademlia's b. Hivemind's depth_modulo. */
export const DEPTH_MODULO = 5

/** Nodes that hold a record. Hivemind's num_replicas. */
export const DEFAULT_NUM_REPLICAS = 5

/** Milliseconds allowed for one node's response to one request. Hivemind's wait_timeout. */
export const DEFAULT_REQUEST_TIMEOUT_MS = 3000

/** Milliseconds allowed for reaching one initial peer. */
export const DEFAULT_BOOTSTRAP_TIMEOUT_MS = 10_000

/** Milliseconds between clock comparisons, and nodes in each comparison. */
export const COMPARE_INTERVAL_MS = 600_000
export const COMPARED_CLOCKS = 5

/** Milliseconds between two sweeps of expired records. */
export const SWEEP_INTERVAL_MS = 10_000
