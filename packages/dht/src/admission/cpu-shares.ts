/** Of its time a node gives one peer at most this share while others ask for little. */
const MAX_SHARE = 0.25

/** So much a peer may have at once that has had nothing for a while. */
const BURST_MS = 10

/** What one piece of work took beyond this is not the peer's doing: memory was collected, or others had the processor. */
const MAX_CHARGE_MS = 2

/** A peer that has asked for little counts as present for so long. */
const PRESENT_FOR_MS = 100

/** So many peers are remembered. One that was forgotten begins anew. */
const MAX_REMEMBERED = 4096

/** What is left of a burst. */
interface Allowance {
  leftMs: number
  atMs: number
}

/**
 * How much of a node's time each peer has had lately. Who asks for much has to leave some to those
 * who ask for little, and only then: among themselves, those who ask for much may use all of it.
 */
export class CpuShares {
  readonly #peers = new Map<string, Allowance>()

  /** Who has asked for little lately, and when; the last one is last. */
  readonly #modest = new Map<string, number>()

  /** A peer has asked for something. */
  asked(peer: string, nowMs: number): void {
    if (this.#left(peer, nowMs) > BURST_MS / 2) {
      this.#modest.delete(peer)
      this.#modest.set(peer, nowMs)
    }
  }

  /** Something has been done for it. */
  spent(peer: string, tookMs: number, nowMs: number): void {
    const allowance = this.#allowanceOf(peer, nowMs)
    allowance.leftMs = this.#left(peer, nowMs) - Math.min(tookMs, MAX_CHARGE_MS)
    allowance.atMs = nowMs
  }

  /** When something was last done for the peer, in ms of the process's clock; undefined if that is long ago. */
  lastServedMs(peer: string): number | undefined {
    return this.#peers.get(peer)?.atMs
  }

  /** Whether another peer is there that asks for little. */
  isShared(peer: string, nowMs: number): boolean {
    for (const [modest, atMs] of this.#modest) {
      if (nowMs - atMs > PRESENT_FOR_MS) {
        this.#modest.delete(modest)
      } else if (modest !== peer) {
        return true
      }
    }

    return false
  }

  /** Whether it has had so much that it has to wait, for the sake of another one. */
  isExhausted(peer: string, nowMs: number): boolean {
    return this.#left(peer, nowMs) <= 0 && this.isShared(peer, nowMs)
  }

  #left(peer: string, nowMs: number): number {
    const known = this.#peers.get(peer)
    return known === undefined
      ? BURST_MS
      : Math.min(known.leftMs + MAX_SHARE * (nowMs - known.atMs), BURST_MS)
  }

  #allowanceOf(peer: string, nowMs: number): Allowance {
    const known = this.#peers.get(peer)

    if (known !== undefined) {
      return known
    }

    const [oldest] = this.#peers.size < MAX_REMEMBERED ? [] : this.#peers.keys()

    if (oldest !== undefined) {
      this.#peers.delete(oldest)
    }

    const allowance = { leftMs: BURST_MS, atMs: nowMs }
    this.#peers.set(peer, allowance)
    return allowance
  }
}
