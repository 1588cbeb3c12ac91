/** Milliseconds after which a replica forgets a subscription that was not renewed. */
export const LEASE_MS = 90_000

/** Milliseconds between renewals, which find missed changes and closer replicas. */
export const RENEW_MS = 30_000

/** Milliseconds between reads of a key of which no peer notifies at once. */
export const POLL_MS = 5_000

/** Milliseconds from losing a peer, or finding a closer one, to the next lookup of the key. The others notify meanwhile. */
export const LOOK_DELAY_MS = 50

/** Peers that notify at once. Other replicas may coalesce changes for a moment. */
export const PROMPT_PEERS = 2

/** Milliseconds for which a replica may coalesce changes for a watcher that others notify at once. */
export const COLLECT_MS = 250

/** Milliseconds for which a renewal of a value that lives on may be collected. */
export const RENEWAL_DELAY_MS = 2_000

/** Subscribers of a key that are notified of each write at once. */
export const UNPACED_SUBSCRIBERS = 16

/**
 * Milliseconds of pause for each further subscriber, from notifying of a key to the next time. Notifying one takes 5 to
 * 15 µs, so that a key takes a twentieth of a core, however often it changes.
 */
export const PACE_MS = 0.25

/** Single subkeys of one key that a node watches. One that wants more watches the whole key. */
export const MAX_WATCHED_SUBKEYS = 16

/** Keys that a replica watches for one peer. */
export const MAX_WATCHES_PER_PEER = 4_096

/** Keys that a replica watches for all peers together, each counted once for each of them. */
export const MAX_WATCHES = 65_536

/**
 * Shares of a node's connections that peers may hold by watching, and that forwarders may hold besides. These connections
 * are never idle, so that without a limit watchers would leave no room for newcomers.
 */
export const WATCHERS_SHARE = 0.7
export const FORWARDERS_SHARE = 0.8

/** Keys that a gateway watches for all peers that cannot reach their replicas, and for one of them. */
export const MAX_REMOTE_WATCHES = 4_096
export const MAX_REMOTE_WATCHES_PER_PEER = 512

/** Bytes of the records watched for others, beyond which no further key is. */
export const MAX_FORWARDED_BYTES: number = 64 * 1024 * 1024

/** Peers that a watcher asks in one go to forward changes. */
export const MAX_FORWARDERS_ASKED = 8

/** Milliseconds between searches for forwarders that find none. */
export const SEEK_MS = 10_000

/** Renewals at forwarders for each check at a replica: what forwarders hold back is found within a lease. */
export const RENEWALS_PER_CHECK: number = LEASE_MS / RENEW_MS

/** Keys that wait to be watched, or let go, at one peer. */
export const MAX_QUEUED_KEYS = 65_536
