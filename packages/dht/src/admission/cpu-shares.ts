import { BoundedMap } from '../collections/bounded-map.ts'
import { TokenBucket } from './token-bucket.ts'

/** Share of this node's time that one peer gets while light clients are present. */
const MAX_SHARE = 0.25

/** Milliseconds that a peer may use at once after it has been idle. */
const BURST_MS = 10

/**
 * Milliseconds charged at most for one step of a job. A longer step was interrupted by the garbage collector or by
 * another process, which the peer did not cause.
 */
const MAX_CHARGE_MS = 2

/** Milliseconds for which a light client counts as present after its last request. */
const PRESENT_FOR_MS = 100

/** Milliseconds until peers that have used up their shares are looked at again. */
export const EXHAUSTED_PAUSE_MS = 1

/** Peers remembered. A forgotten peer begins with a full burst. */
const MAX_REMEMBERED = 4096

/**
 * Measures each peer's recent share of this node's time. A light client is a peer that has used less than half of
 * its burst. While one is present, a heavy peer gets no more than its share. Heavy peers alone may use all of the
 * time.
 */
export class CpuShares {
  /** Recent use by each peer. */
  readonly #peers = new BoundedMap<string, TokenBucket>({ maxSize: MAX_REMEMBERED })

  /** Time of each light client's last request, the latest one last. */
  readonly #lightClients = new BoundedMap<string, number>({ maxSize: MAX_REMEMBERED })

  /** The caller's time, read once for several calls. */
  #nowMs = 0
  readonly #clock = (): number => this.#nowMs

  /** Records a peer's request. */
  noteRequest(peer: string, nowMs: number): void {
    if (this.#leftMs(peer, nowMs) > BURST_MS / 2) {
      this.#lightClients.set(peer, nowMs)
    }
  }

  /** Charges a peer for a step of one of its jobs. */
  charge(peer: string, tookMs: number, nowMs: number): void {
    this.adjust(peer, Math.min(tookMs, MAX_CHARGE_MS), nowMs)
  }

  /** Charges a peer for work of an estimated time. A negative time is a refund. */
  adjust(peer: string, byMs: number, nowMs: number): void {
    this.#nowMs = nowMs
    this.#bucketOf(peer).take(byMs)
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

  /** Whether the peer has used up its share and must wait for a light client. */
  isExhausted(peer: string, nowMs: number): boolean {
    return this.#leftMs(peer, nowMs) <= 0 && this.isShared(peer, nowMs)
  }

  #leftMs(peer: string, nowMs: number): number {
    this.#nowMs = nowMs
    return this.#peers.get(peer)?.tokens ?? BURST_MS
  }

  #bucketOf(peer: string): TokenBucket {
    return this.#peers.getOrAdd(
      peer,
      () => new TokenBucket({ perSecond: MAX_SHARE * 1000, burst: BURST_MS, nowMs: this.#clock })
    )
  }
}
