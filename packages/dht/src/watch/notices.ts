import { type DHTRecord, type DHTTime, type Entry, join, type Limits } from '@waggle/record'
import { equals } from 'uint8arrays/equals'
import type { KeyChange } from '../store/store-listeners.ts'
import { Alarm } from '../timing/alarm.ts'
import { COLLECT_MS, PACE_MS, RENEWAL_DELAY_MS, UNPACED_SUBSCRIBERS } from './limits.ts'
import type { Subscribers } from './subscribers.ts'

export interface NoticesInit<S> {
  readonly limits: Limits
  readonly clock: () => DHTTime
  readonly subscribersOf: (name: string) => Subscribers<S> | undefined

  /** Notifies of the writes to a key. */
  readonly send: (name: string, write: DHTRecord, to: readonly S[]) => void
}

/**
 * Decides when subscribers are notified of a write. The first one is told at the end of the turn. Further ones of a key
 * with many subscribers wait for a pause that grows with their number, patient subscribers wait for others, and
 * renewals, which few readers look at, wait longest. All that waits for one key is joined into one notice.
 */
export class Notices<S> {
  readonly #init: NoticesInit<S>
  readonly #prompt: Writes
  readonly #patient: Writes
  readonly #renewals: Writes
  readonly #pace = new Alarm(() => this.#tellPrompt())
  readonly #collect = new Alarm(() => this.#tellAll(this.#patient, 'patient'))
  readonly #renew = new Alarm(() => this.#tellAll(this.#renewals))
  #isDue = false

  constructor(init: NoticesInit<S>) {
    this.#init = init
    this.#prompt = new Writes(init.limits)
    this.#patient = new Writes(init.limits)
    this.#renewals = new Writes(init.limits)
  }

  add(name: string, { added, before }: KeyChange): void {
    const { clock, subscribersOf } = this.#init
    const subscribers = subscribersOf(name)

    if (subscribers === undefined) {
      return
    }

    if (isRenewal(added, before, clock() + (2 * RENEWAL_DELAY_MS) / 1000)) {
      this.#renewals.add(name, added)
      this.#renew.within(RENEWAL_DELAY_MS)
      return
    }

    this.#prompt.add(name, added)
    this.#tellSoon()

    if (subscribers.count('patient') > 0) {
      this.#patient.add(name, added)
      this.#collect.within(COLLECT_MS)
    }
  }

  stop(): void {
    this.#pace.stop()
    this.#collect.stop()
    this.#renew.stop()
  }

  #tellSoon(): void {
    if (!this.#isDue) {
      this.#isDue = true
      queueMicrotask(() => this.#tellPrompt())
    }
  }

  /** Notifies of keys that are not paused. */
  #tellPrompt(): void {
    const nowMs = performance.now()
    this.#isDue = false

    for (const [name, write] of this.#prompt.take()) {
      const subscribers = this.#init.subscribersOf(name)
      const waitMs = (subscribers?.pausedUntilMs ?? 0) - nowMs

      if (subscribers !== undefined && waitMs > 0) {
        this.#prompt.add(name, write)
        this.#pace.within(waitMs)
      } else if (subscribers !== undefined) {
        const to = subscribers.list('patient', false)
        subscribers.pausedUntilMs = nowMs + Math.max(0, to.length - UNPACED_SUBSCRIBERS) * PACE_MS
        this.#init.send(name, write, to)
      }
    }
  }

  #tellAll(writes: Writes, role?: 'patient'): void {
    for (const [name, write] of writes.take()) {
      this.#init.send(name, write, this.#init.subscribersOf(name)?.list(role) ?? [])
    }
  }
}

/** Writes since they were taken last, by the names of the keys. */
class Writes {
  readonly #limits: Limits
  #records = new Map<string, DHTRecord>()

  constructor(limits: Limits) {
    this.#limits = limits
  }

  add(name: string, write: DHTRecord): void {
    const before = this.#records.get(name)
    this.#records.set(name, before === undefined ? write : join(before, write, this.#limits))
  }

  take(): ReadonlyMap<string, DHTRecord> {
    const records = this.#records
    this.#records = new Map()
    return records
  }
}

/** Whether all that was added only prolongs values that live until then in any case. */
function isRenewal(added: DHTRecord, before: DHTRecord, untilTime: DHTTime): boolean {
  const prolongs = (entry: Entry, own: Entry | undefined): boolean =>
    own?.value !== undefined &&
    entry.value !== undefined &&
    own.expirationTime > untilTime &&
    equals(own.value, entry.value)

  return (
    (added.plain === undefined || prolongs(added.plain, before.plain)) &&
    [...added.subkeys].every(([id, entry]) => prolongs(entry, before.subkeys.get(id)))
  )
}
