import { every } from './every.ts'

/** Milliseconds between two checks of both clocks. */
export const CHECK_INTERVAL_MS = 250

/** Minimum milliseconds of a timer's lateness, or of a jump of the wall clock, that count as a sleep. */
export const MIN_SLEEP_MS = 4000

/**
 * Share of the time that a process has worked if it was not stopped, but had much to do, or shares its processors with
 * others that have. One whose only busy thread was stopped for {@link MIN_SLEEP_MS} between two checks has worked for
 * less.
 */
export const WORKED_SHARE: number = 1 / 16

/** Both clocks of the process at one moment, in ms. */
export interface ClockPair {
  /** The wall clock. It jumps when it is set, and continues while the machine sleeps. */
  readonly wallMs: number

  /** The process's clock. It never jumps. On most systems it stops while the machine sleeps. */
  readonly processMs: number

  /** The processor time that the process has used. @default 0, as in browsers */
  readonly workedMs?: number
}

/** The events between two checks. */
export interface Interruption {
  /** Milliseconds for which the process was stopped or the machine slept, according to the clocks. */
  readonly sleptMs: number

  /** Milliseconds by which the wall clock has moved ahead of the process's clock. Negative: it was set back. */
  readonly steppedMs: number
}

/** Compares two checks, the second of which was due after `intervalMs`. */
export function interruptionBetween(
  before: ClockPair,
  after: ClockPair,
  intervalMs: number
): Interruption {
  const tookMs = after.processMs - before.processMs
  const steppedMs = after.wallMs - before.wallMs - tookMs
  const workedMs = (after.workedMs ?? 0) - (before.workedMs ?? 0)
  const lateMs = workedMs >= WORKED_SHARE * tookMs ? 0 : Math.max(0, tookMs - intervalMs)
  return { sleptMs: lateMs + Math.max(0, steppedMs), steppedMs }
}

/** The end of a sleep. */
export interface Wake {
  /** Milliseconds slept, as far as the clocks tell. */
  readonly sleptMs: number

  /** Whether the platform has reported a suspension, or that the network is back. */
  readonly isReported: boolean
}

export interface SleepDetectorInit {
  /** Called after the process or the machine slept. A clock that was set forward looks the same. */
  readonly onWake: (wake: Wake) => void

  /** Called first after the wall clock has jumped, in either direction. */
  readonly onStep: (steppedMs: number) => void

  readonly clocks: () => ClockPair
}

type Target = Pick<EventTarget, 'addEventListener'>

/** Browser events that follow a suspension or an interrupted connection of the page. */
const BROWSER_EVENTS: readonly (readonly [name: string, target: () => Target | undefined])[] = [
  ['resume', () => Reflect.get(globalThis, 'document')],
  ['pageshow', () => Reflect.get(globalThis, 'window')],
  ['online', () => Reflect.get(globalThis, 'window')]
]

/**
 * Detects that the process slept: with its machine, in the background of a browser, or stopped by a signal. Timers
 * are late then, or the wall clock has moved on without them.
 */
export class SleepDetector {
  readonly #init: SleepDetectorInit
  #last: ClockPair

  constructor(init: SleepDetectorInit) {
    this.#init = init
    this.#last = init.clocks()
  }

  /** Checks the clocks at intervals, until the signal is aborted. */
  follow(signal: AbortSignal): void {
    this.#last = this.#init.clocks()
    every(CHECK_INTERVAL_MS, () => this.check(), signal)

    for (const [name, target] of BROWSER_EVENTS) {
      target()?.addEventListener(name, () => this.check(true), { signal })
    }
  }

  /**
   * Checks the clocks now, such as before the wall clock is used.
   *
   * @param isReported - whether something other than the clocks indicates a sleep
   */
  check(isReported = false): void {
    const now = this.#init.clocks()
    const { sleptMs, steppedMs } = interruptionBetween(this.#last, now, CHECK_INTERVAL_MS)
    this.#last = now

    if (Math.abs(steppedMs) >= MIN_SLEEP_MS) {
      this.#init.onStep(steppedMs)
    }

    if (isReported || sleptMs >= MIN_SLEEP_MS) {
      this.#init.onWake({ sleptMs, isReported })
    }
  }
}
