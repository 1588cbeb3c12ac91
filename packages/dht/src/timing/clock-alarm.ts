import type { DHTTime } from '@waggle/record'
import { Alarm } from './alarm.ts'

/**
 * Milliseconds between two checks of the clock. Timers use another clock, which stops while the machine sleeps and
 * does not follow the wall clock's jumps.
 */
export const RECHECK_MS = 2000

/**
 * An alarm at wall-clock times, which rings at the earliest requested one. After a jump of the clock, or a sleep,
 * it rings within {@link RECHECK_MS}.
 */
export class ClockAlarm {
  readonly #clock: () => DHTTime
  readonly #ring: () => void
  readonly #timer = new Alarm(() => this.#check())
  #time: DHTTime = Number.POSITIVE_INFINITY

  constructor(clock: () => DHTTime, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** Rings once at this time, or earlier if that was requested before. */
  at(time: DHTTime): void {
    if (time < this.#time) {
      this.#time = time
      this.#wait()
    }
  }

  /** Cancels the alarm for good. */
  stop(): void {
    this.#timer.stop()
  }

  #check(): void {
    if (this.#clock() < this.#time) {
      this.#wait()
      return
    }

    this.#time = Number.POSITIVE_INFINITY
    this.#ring()
  }

  #wait(): void {
    this.#timer.within(Math.min((this.#time - this.#clock()) * 1000, RECHECK_MS))
  }
}
