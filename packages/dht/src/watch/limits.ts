/** A replica forgets a watcher that has not asked again for so long. */
export const LEASE_MS = 90_000

/** How often a watcher asks again: whether something was missed, and who is near the key now. */
export const RENEW_MS = 30_000

/** How often a key is read anew of which no replica tells changes. */
export const POLL_MS = 5_000

/** How long after a replica was lost, or a nearer one came, its keys are looked at: the others tell changes meanwhile. */
export const SETTLE_MS = 50

/** How many replicas tell a watcher of changes at once; the others may collect them for a moment. */
export const PROMPT_REPLICAS = 2

/** How long a replica may collect changes for a watcher who has heard of them by others, most likely. */
export const COLLECT_MS = 250

/** Keys that a replica watches for one peer. */
export const MAX_WATCHES_PER_PEER = 4_096

/** Keys that a replica watches for all peers together, each counted once for each of them. */
export const MAX_WATCHES = 65_536

/** Keys that wait to be watched, or let go, at one peer. */
export const MAX_QUEUED_KEYS = 65_536
