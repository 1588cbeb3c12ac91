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
