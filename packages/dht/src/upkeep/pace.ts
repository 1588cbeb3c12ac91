import { TokenBucket } from '../admission/token-bucket.ts'

/** Bytes of records sent to newcomers in a second. */
export const HAND_OVER_BYTES_PER_SECOND: number = 4 * 1024 * 1024

/** Bytes of records sent to newcomers at once, after a while without any. */
export const HAND_OVER_BURST_BYTES: number = 16 * 1024 * 1024

/** Milliseconds for which a peer counts as a newcomer. */
export const NEWCOMER_MS = 600_000

/**
 * Limits what newcomers are sent. Identities are free: many that come, take what they are handed, and
 * go would otherwise cost a node all of its upload.
 */
export class Pace {
  readonly #bytes = new TokenBucket({
    perSecond: HAND_OVER_BYTES_PER_SECOND,
    burst: HAND_OVER_BURST_BYTES
  })

  /** Waits until so many bytes may be sent. */
  async wait(bytes: number): Promise<void> {
    this.#bytes.take(bytes)
    const lackMs = (-this.#bytes.tokens / HAND_OVER_BYTES_PER_SECOND) * 1000

    if (lackMs > 0) {
      await new Promise((resolve) => setTimeout(resolve, lackMs))
    }
  }
}
