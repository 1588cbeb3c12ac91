import type { DHTTime } from '@waggle/record'
import { Alarm } from './alarm.ts'

/**
 * Milliseconds between two looks at the clock. Timers run by another clock, which stands still while
 * the machine sleeps and knows nothing of the wall clock's jumps.
 */
export const RECHECK_MS = 2000

/**
 * An alarm for moments of the wall clock, which rings at the earliest requested one. All alarms of
 * this kind are this class: after a jump of the clock, or a sleep, each rings within {@link RECHECK_MS}.
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

  /** Rings once at this time, earlier if that was requested before. */
  at(time: DHTTime): void {
    if (time < this.#time) {
      this.#time = time
      this.#wait()
    }
  }

  /** Never rings again. */
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
