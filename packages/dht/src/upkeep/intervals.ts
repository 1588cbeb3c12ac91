/** Shortest wait in milliseconds for more peers to come or go before a pass. The longest is twice that. */
export const SETTLE_MS = 500

/** Milliseconds until failed hand-overs are tried again. */
export const RETRY_MS = 5000

/** Shortest wait in milliseconds before new replicas are compared with. The longest is twice that. */
export const COMPARE_MS = 10_000

/** Milliseconds between passes when no peer comes or goes: writers may have misplaced records. */
export const PASS_INTERVAL_MS = 60_000

/** Milliseconds between sending records to their replicas, changed or not (Kademlia, §2.5). */
export const REPLICATE_INTERVAL_MS = 3_600_000

/** Milliseconds for which a newcomer may still lack records that peers gone since were to hand over. */
export const FRESH_MS = 30_000

/** Milliseconds by which peers learn of a newcomer at different times, at most. */
export const SLACK_MS = 1000

/** Records that a newcomer is asked for, to find out whether it has only been away. */
export const SAMPLES = 8
