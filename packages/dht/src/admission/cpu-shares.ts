import { BoundedMap } from '../collections/bounded-map.ts'
import { TokenBucket } from './token-bucket.ts'

/** Share of this node's time that one peer gets while light clients are there. */
const MAX_SHARE = 0.25

/** Milliseconds that a peer may use at once after it has been idle. */
const BURST_MS = 10

/**
 * Milliseconds charged at most for one step of a job. A step that took longer was interrupted by
 * the garbage collector or by another process, which is not the peer's doing.
 */
const MAX_CHARGE_MS = 2

/** Milliseconds for which a light client counts as present after its last request. */
const PRESENT_FOR_MS = 100

/** Peers remembered. A forgotten peer begins with a full burst. */
const MAX_REMEMBERED = 4096

interface Usage {
  /** Milliseconds left to the peer. */
  readonly left: TokenBucket

  /** When something was last done for it, in ms of the process's clock. */
  servedAtMs: number
}

/**
 * Measures how much of this node's time each peer has used lately. A light client is a peer that
 * has used less than half of its burst. While one is present, a heavy one gets no more than its
 * share. Heavy peers alone may use all of the time.
 */
export class CpuShares {
  /** Use of each peer that has used some. */
  readonly #peers = new BoundedMap<string, Usage>({ maxSize: MAX_REMEMBERED })

  /** When each light client sent its last request, the latest one last. */
  readonly #lightClients = new BoundedMap<string, number>({ maxSize: MAX_REMEMBERED })

  /** The caller's time, which it reads once for several calls. */
  #nowMs = 0
  readonly #clock = (): number => this.#nowMs

  /** Takes note of a peer's request. */
  noteRequest(peer: string, nowMs: number): void {
    if (this.#leftMs(peer, nowMs) > BURST_MS / 2) {
      this.#lightClients.set(peer, nowMs)
    }
  }

  /** Charges a peer for a step of one of its jobs. */
  charge(peer: string, tookMs: number, nowMs: number): void {
    this.#nowMs = nowMs
    const usage = this.#usageOf(peer)
    usage.left.take(Math.min(tookMs, MAX_CHARGE_MS))
    usage.servedAtMs = nowMs
  }

  /** When something was last done for the peer, in ms of the process's clock; undefined if that is long ago. */
  lastServedMs(peer: string): number | undefined {
    return this.#peers.get(peer)?.servedAtMs
  }

  /** Whether a light client other than this peer is present. */
  isShared(peer: string, nowMs: number): boolean {
    for (const [client, atMs] of this.#lightClients) {
      if (nowMs - atMs > PRESENT_FOR_MS) {
        this.#lightClients.delete(client)
      } else if (client !== peer) {
        return true
      }
    }

    return false
  }

  /** Whether the peer has used up its share and has to wait for a light client's sake. */
  isExhausted(peer: string, nowMs: number): boolean {
    return this.#leftMs(peer, nowMs) <= 0 && this.isShared(peer, nowMs)
  }

  #leftMs(peer: string, nowMs: number): number {
    this.#nowMs = nowMs
    return this.#peers.get(peer)?.left.tokens ?? BURST_MS
  }

  #usageOf(peer: string): Usage {
    const known = this.#peers.touch(peer)

    if (known !== undefined) {
      return known
    }

    const left = new TokenBucket({
      perSecond: MAX_SHARE * 1000,
      burst: BURST_MS,
      nowMs: this.#clock
    })
    const usage = { left, servedAtMs: this.#nowMs }
    this.#peers.set(peer, usage)
    return usage
  }
}
