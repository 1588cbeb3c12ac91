import type { Logger } from '@libp2p/interface'
import type { DHTTime } from '@waggle/record'
import { Alarm } from '../timing/alarm.ts'
import { ClockAlarm } from '../timing/clock-alarm.ts'
import { type Due, DueQueue } from '../timing/due-queue.ts'
import { LOOK_DELAY_MS, POLL_MS, RENEW_MS } from './limits.ts'
import type { WatchedKey } from './watched-key.ts'

/** Keys looked at before other work gets its turn. */
const LOOKS_AT_ONCE = 256

/** Keys that are to be looked at again within the same time are looked at together, and share messages. */
const TOGETHER_MS = 1000

const NEVER = Number.POSITIVE_INFINITY

export interface WatchScheduleInit {
  readonly clock: () => DHTTime
  readonly log: Logger
}

interface DueKey extends Due {
  readonly watched: WatchedKey
}

interface DueLook extends DueKey {
  /** Whether it is due because peers come or go. */
  readonly isSoon: boolean
}

/**
 * The times at which watched keys are looked at again, and at which entries of theirs expire. Two timers serve all keys.
 */
export class WatchSchedule {
  readonly #init: WatchScheduleInit
  readonly #lookAlarm = new Alarm(() => this.#lookDue())
  readonly #looks = new DueQueue<DueLook>((dueMs) =>
    this.#lookAlarm.within(dueMs - performance.now())
  )
  readonly #expirationAlarm: ClockAlarm
  readonly #expirations = new DueQueue<DueKey>((time) => this.#expirationAlarm.at(time))

  constructor(init: WatchScheduleInit) {
    this.#init = init
    this.#expirationAlarm = new ClockAlarm(init.clock, () => this.#expireDue())
  }

  /** Looks at a key now, and plans when to look again. Never rejects. */
  async look(watched: WatchedKey): Promise<void> {
    try {
      await watched.look()
    } catch (error) {
      this.#init.log('could not look at a watched key - %e', error)
    }

    const isTold = watched.notifiers.isPrompt && !watched.isUnreachable
    const nextMs = performance.now() + (isTold ? RENEW_MS : POLL_MS)
    this.lookWithin(watched, Math.ceil(nextMs / TOGETHER_MS) * TOGETHER_MS - performance.now())
  }

  /** Plans to look at a key within a time, or sooner if that was planned already. */
  lookWithin(watched: WatchedKey, ms: number): void {
    if (performance.now() + ms < (this.#looks.get(watched.name)?.dueTime ?? NEVER)) {
      this.#plan(watched, ms)
    }
  }

  /** Plans to look at a key soon, because peers come or go. All that do so until then share the look. */
  lookSoon(watched: WatchedKey): void {
    const { dueTime = NEVER, isSoon = false } = this.#looks.get(watched.name) ?? {}

    if (!isSoon) {
      this.#plan(watched, Math.min(watched.lookDelay.next(), dueTime - performance.now()), true)
    }
  }

  /** Plans the expiration of what a key shows now. */
  awaitExpiration(watched: WatchedKey): void {
    const { name, shownUntil } = watched

    if (shownUntil === NEVER) {
      this.#expirations.delete(name)
    } else if (!watched.isStopped) {
      this.#expirations.set({ name, dueTime: shownUntil, watched })
    }
  }

  /** Plans nothing more for a key. */
  delete({ name }: WatchedKey): void {
    this.#looks.delete(name)
    this.#expirations.delete(name)
  }

  /** Stops the clocks. */
  stop(): void {
    this.#lookAlarm.stop()
    this.#expirationAlarm.stop()
  }

  #plan(watched: WatchedKey, ms: number, isSoon = false): void {
    if (!watched.isStopped) {
      const { name } = watched
      this.#looks.set({ name, dueTime: performance.now() + ms, watched, isSoon })
    }
  }

  #lookDue(): void {
    for (const { isSoon, watched } of this.#looks.take(performance.now(), LOOKS_AT_ONCE)) {
      if (watched.isLooking) {
        this.#plan(watched, LOOK_DELAY_MS, isSoon)
      } else {
        void this.look(watched)
      }
    }
  }

  #expireDue(): void {
    for (const { watched } of this.#expirations.take(this.#init.clock())) {
      watched.expire()
    }
  }
}
