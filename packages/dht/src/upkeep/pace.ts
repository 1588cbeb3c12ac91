import { TokenBucket } from '../admission/token-bucket.ts'
import { wait } from '../timing/wait.ts'

/** Bytes of records sent to newcomers per second. */
export const HAND_OVER_BYTES_PER_SECOND: number = 4 * 1024 * 1024

/** Bytes of records sent to newcomers at once, after a time without any. */
export const HAND_OVER_BURST_BYTES: number = 16 * 1024 * 1024

/** Milliseconds for which a peer counts as a newcomer. */
export const NEWCOMER_MS = 600_000

/**
 * Limits the bytes sent to newcomers. Identities are free: newcomers that take their records and leave could
 * otherwise use all of a node's upload.
 */
export class Pace {
  readonly #bytes = new TokenBucket({
    perSecond: HAND_OVER_BYTES_PER_SECOND,
    burst: HAND_OVER_BURST_BYTES
  })

  /** Waits until this many bytes may be sent. */
  async wait(bytes: number): Promise<void> {
    this.#bytes.take(bytes)
    const { lackMs } = this.#bytes
    await (lackMs > 0 && wait(lackMs, undefined, { keepsAlive: true }))
  }
}
