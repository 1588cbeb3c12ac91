import { TokenBucket } from '../admission/token-bucket.ts'
import { BoundedMap } from '../collections/bounded-map.ts'

/** Open relayed connections of one peer, and of all. */
export const MAX_CIRCUITS_PER_PEER = 4
export const MAX_CIRCUITS = 256

/** Relayed connections that one peer may open, at once and per second. */
const CIRCUIT_BURST = 8
const CIRCUITS_PER_SECOND = 0.5

/** Bytes relayed per second, of one peer and of all. */
export const RELAYED_BYTES_PER_SECOND_PER_PEER: number = 256 * 1024
export const RELAYED_BYTES_PER_SECOND: number = 2 * 1024 * 1024

/** Peers whose use is remembered. */
const MAX_REMEMBERED = 4096

interface Usage {
  circuits: number
  readonly opened: TokenBucket
  readonly bytes: TokenBucket
}

/** The circuits and bytes that a relay grants, per peer and in total. */
export class RelayBudget {
  readonly #nowMs: () => number
  readonly #usage = new BoundedMap<string, Usage>({ maxSize: MAX_REMEMBERED })
  readonly #bytes: TokenBucket
  #circuits = 0

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
    this.#bytes = new TokenBucket({ perSecond: RELAYED_BYTES_PER_SECOND, nowMs })
  }

  /**
   * Counts a connection that a peer opens, and returns a function to call at its end. Undefined if the limit is
   * reached.
   */
  open(peer: string): (() => void) | undefined {
    const usage = this.#usageOf(peer)
    const isFull = this.#circuits >= MAX_CIRCUITS || usage.circuits >= MAX_CIRCUITS_PER_PEER

    if (isFull || !usage.opened.tryTake(1, 1)) {
      return undefined
    }

    usage.circuits++
    this.#circuits++
    let isOpen = true

    return () => {
      usage.circuits -= Number(isOpen)
      this.#circuits -= Number(isOpen)
      isOpen = false
    }
  }

  /** Counts bytes of a peer's connections, and returns the milliseconds to wait before further bytes. */
  pass(peer: string, bytes: number): number {
    const own = this.#usageOf(peer).bytes
    own.take(bytes)
    this.#bytes.take(bytes)
    return Math.max(own.lackMs, this.#bytes.lackMs)
  }

  #usageOf(peer: string): Usage {
    const nowMs = this.#nowMs
    return this.#usage.getOrAdd(peer, () => ({
      circuits: 0,
      opened: new TokenBucket({ perSecond: CIRCUITS_PER_SECOND, burst: CIRCUIT_BURST, nowMs }),
      bytes: new TokenBucket({ perSecond: RELAYED_BYTES_PER_SECOND_PER_PEER, nowMs })
    }))
  }
}
