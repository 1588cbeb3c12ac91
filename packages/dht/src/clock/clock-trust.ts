import { MAX_CLOCK_SKEW } from '@waggle/record/replica'
import { CLOCK_ADVICE } from '../clock-reading.ts'
import type { RecordStore } from '../store/record-store.ts'
import { Alarm } from '../timing/alarm.ts'
import { warn } from '../warn.ts'

/** Milliseconds after which an unconfirmed clock is trusted. */
export const GRACE_MS = 600_000

/** Evidence on this machine's clock. */
export interface ClockDoubt {
  /** Median of the milliseconds by which peers' clocks are ahead; undefined if no peer has responded since. */
  readonly medianSkewMs: number | undefined

  /** Milliseconds since the node started, or since the clock jumped. */
  readonly doubtedForMs: number
}

/**
 * Whether records that have expired by this clock may be removed. A machine whose clock is not yet set, or is wrong
 * for a moment, would delete records from its disk that are still live for other peers.
 */
export function mayRemoveExpired({ medianSkewMs, doubtedForMs }: ClockDoubt): boolean {
  return medianSkewMs === undefined
    ? doubtedForMs >= GRACE_MS
    : Math.abs(medianSkewMs) <= MAX_CLOCK_SKEW * 1000
}

export interface ClockTrustInit {
  readonly store: Pick<RecordStore, 'suspendExpiration' | 'resumeExpiration'>
  /** @default prints a warning as Node does */
  readonly onWrong?: (message: string) => void
}

/** Keeps expired records while this machine's clock is in doubt, and warns once if it is wrong. */
export class ClockTrust {
  readonly #init: ClockTrustInit
  readonly #grace = new Alarm(() => this.#review())
  #doubtedAtMs: number | undefined
  #medianSkewMs: number | undefined
  #hasWarned = false

  constructor(init: ClockTrustInit) {
    this.#init = init
  }

  /** Doubts the clock until peers confirm it, or none has contradicted it for a while. */
  doubt(): void {
    this.#doubtedAtMs = performance.now()
    this.#medianSkewMs = undefined
    this.#init.store.suspendExpiration()
    this.#grace.within(GRACE_MS)
  }

  /** Records the median by which the clocks of a number of peers are ahead. */
  compare(medianSkewMs: number, peers: number): void {
    const isWrong = !mayRemoveExpired({ medianSkewMs, doubtedForMs: 0 })

    if (isWrong) {
      this.#warn(medianSkewMs, peers)
    }

    if (isWrong && this.#doubtedAtMs === undefined) {
      this.doubt()
    }

    this.#medianSkewMs = medianSkewMs
    this.#review()
  }

  stop(): void {
    this.#grace.stop()
  }

  #review(): void {
    const doubtedAtMs = this.#doubtedAtMs

    if (doubtedAtMs !== undefined) {
      // A timer may fire up to a millisecond early.
      const doubtedForMs = performance.now() - doubtedAtMs + 1

      if (mayRemoveExpired({ medianSkewMs: this.#medianSkewMs, doubtedForMs })) {
        this.#doubtedAtMs = undefined
        this.#init.store.resumeExpiration()
      }
    }
  }

  #warn(medianSkewMs: number, peers: number): void {
    if (!this.#hasWarned) {
      this.#hasWarned = true
      const { onWrong = warn } = this.#init
      const seconds = Math.round(Math.abs(medianSkewMs) / 1000)
      const direction = medianSkewMs > 0 ? 'behind' : 'ahead of'
      const others =
        peers === 1
          ? 'that of a peer: one of them is wrong'
          : `those of ${peers} peers, in the median`
      onWrong(`the clock of this machine is ${seconds} s ${direction} ${others}. ${CLOCK_ADVICE}.`)
    }
  }
}
