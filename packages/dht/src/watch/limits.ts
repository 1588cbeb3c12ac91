/** Milliseconds after which a replica forgets a subscription that was not renewed. */
export const LEASE_MS = 90_000

/** Milliseconds between renewals, which find missed changes and closer replicas. */
export const RENEW_MS = 30_000

/** Milliseconds between reads of a key of which no replica notifies. */
export const POLL_MS = 5_000

/** Milliseconds from losing a replica, or finding a closer one, to the next lookup of the key. The others notify meanwhile. */
export const LOOK_DELAY_MS = 50

/** Replicas that notify at once. The others may coalesce changes for a moment. */
export const PROMPT_REPLICAS = 2

/** Milliseconds for which a replica may coalesce changes for a watcher that others notify at once. */
export const COLLECT_MS = 250

/** Keys that a replica watches for one peer. */
export const MAX_WATCHES_PER_PEER = 4_096

/** Keys that a replica watches for all peers together, each counted once for each of them. */
export const MAX_WATCHES = 65_536

/** Keys that wait to be watched, or let go, at one peer. */
export const MAX_QUEUED_KEYS = 65_536
