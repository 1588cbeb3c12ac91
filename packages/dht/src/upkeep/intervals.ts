/** Shortest delay in milliseconds of a pass after a peer came or went, so that it covers others, too. The longest is twice that. */
export const PASS_DELAY_MS = 500

/** Milliseconds until failed hand-overs are retried. */
export const RETRY_MS = 5000

/** Shortest delay in milliseconds before a comparison with new replicas. The longest is twice that. */
export const COMPARE_MS = 10_000

/** Milliseconds between passes when no peer comes or goes: writers may have misplaced records. */
export const PASS_INTERVAL_MS = 60_000

/** Milliseconds between sending records to their replicas, changed or not (Kademlia, §2.5). */
export const REPLICATE_INTERVAL_MS = 3_600_000

/** Milliseconds for which a newcomer may lack records because the peer that should hand them over has left. */
export const FRESH_MS = 30_000

/** Longest difference in milliseconds between the times at which two peers learn of a newcomer. */
export const SLACK_MS = 1000

/** Records requested from a newcomer, to detect that it has only been away. */
export const SAMPLES = 8
