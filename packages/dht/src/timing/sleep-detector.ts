/** Milliseconds between two looks at both clocks. */
const LOOK_INTERVAL_MS = 1000

/** Milliseconds by which a timer is late, or the wall clock has moved on by itself, after a sleep at least. */
export const MIN_SLEEP_MS = 4000

/** Both clocks of the process at one moment, in ms. */
export interface ClockPair {
  /** The wall clock. It jumps when somebody sets it, and goes on while the machine sleeps. */
  readonly wallMs: number

  /** The process's clock. It never jumps. On most systems it stands still while the machine sleeps. */
  readonly processMs: number
}

/** What happened between two looks. */
export interface Interruption {
  /** Milliseconds for which nothing ran: the process was stopped, or the machine slept, as far as the clocks tell. */
  readonly sleptMs: number

  /** Milliseconds by which the wall clock has moved on more than the process's clock. Negative: it was set back. */
  readonly steppedMs: number
}

/** Compares two looks, the second of which was due after so many milliseconds. */
export function interruptionBetween(
  before: ClockPair,
  after: ClockPair,
  intervalMs: number
): Interruption {
  const tookMs = after.processMs - before.processMs
  const steppedMs = after.wallMs - before.wallMs - tookMs
  return { sleptMs: Math.max(0, tookMs - intervalMs) + Math.max(0, steppedMs), steppedMs }
}

export interface SleepDetectorInit {
  /** Called after the process or the machine slept. A clock that was set forward looks the same. */
  readonly onWake: (sleptMs: number) => void

  /** Called first after the wall clock has jumped, in either direction. */
  readonly onStep: (steppedMs: number) => void

  readonly clocks: () => ClockPair
}

type Target = Pick<EventTarget, 'addEventListener'>

/** Events of browsers by which a page learns that it ran, or was connected, again. */
const BROWSER_EVENTS: readonly (readonly [name: string, target: () => Target | undefined])[] = [
  ['resume', () => Reflect.get(globalThis, 'document')],
  ['pageshow', () => Reflect.get(globalThis, 'window')],
  ['online', () => Reflect.get(globalThis, 'window')]
]

/**
 * Notices that the process slept: with its machine, in the background of a browser, or stopped by a
 * signal. Timers are late then, or the wall clock has moved on without them.
 */
export class SleepDetector {
  readonly #init: SleepDetectorInit
  #last: ClockPair

  constructor(init: SleepDetectorInit) {
    this.#init = init
    this.#last = init.clocks()
  }

  /** Looks at the clocks again and again, until the signal is aborted. */
  follow(signal: AbortSignal): void {
    this.#last = this.#init.clocks()
    const looking = setInterval(() => this.look(), LOOK_INTERVAL_MS)
    looking.unref?.()
    signal.addEventListener('abort', () => clearInterval(looking))

    for (const [name, target] of BROWSER_EVENTS) {
      target()?.addEventListener(name, () => this.look(true), { signal })
    }
  }

  /**
   * Looks now, as whoever trusts the wall clock does before.
   *
   * @param isWake - whether something else than the clocks says that there was a sleep
   */
  look(isWake = false): void {
    const now = this.#init.clocks()
    const { sleptMs, steppedMs } = interruptionBetween(this.#last, now, LOOK_INTERVAL_MS)
    this.#last = now

    if (Math.abs(steppedMs) >= MIN_SLEEP_MS) {
      this.#init.onStep(steppedMs)
    }

    if (isWake || sleptMs >= MIN_SLEEP_MS) {
      this.#init.onWake(sleptMs)
    }
  }
}
