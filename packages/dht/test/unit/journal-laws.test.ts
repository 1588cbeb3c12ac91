import { plainRecord, recordKey, subkeyRecord } from '@waggle/record'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MAX_WRITE_RETRY_MS } from '../../src/constants.ts'
import { Journal } from '../../src/persistence/journal.ts'
import { restore } from '../../src/persistence/restore.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import type { RecordStoreOptions } from '../../src/store/record-store-options.ts'
import { GatedDisk } from '../support/gated-disk.ts'
import { pass, stopTime } from '../support/kept-store.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { silentLog } from '../support/silent-log.ts'

const START = 1000

type Step =
  | { do: 'write'; key: number; subkey: number | undefined; ttl: number }
  | { do: 'pass'; seconds: number }
  | { do: 'sweep' | 'shut' | 'open' | 'mend' | 'settle' }
  | { do: 'fail'; isUnsure: boolean }

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('write' as const),
        key: fc.nat(6),
        subkey: fc.option(fc.nat(2), { nil: undefined }),
        ttl: fc.integer({ min: 1, max: 20 })
      })
    },
    fc.record({ do: fc.constant('pass' as const), seconds: fc.nat(5) }),
    fc.record({ do: fc.constant('fail' as const), isUnsure: fc.boolean() }),
    fc.record({
      do: fc.constantFrom(
        'sweep' as const,
        'shut' as const,
        'open' as const,
        'mend' as const,
        'settle' as const
      )
    })
  ),
  { maxLength: 60, size: 'max' }
)

describe('Journal', () => {
  beforeEach(stopTime)

  afterEach(() => {
    vi.useRealTimers()
  })

  it('has on disk at the end what the store holds, whatever happened on the way (N7)', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 5 }), async (taken, maxRecords) => {
        const life = new Life({ maxRecords })

        for (const step of taken) {
          await life.take(step)
        }

        await life.end()
        const names = [...life.store.names()].sort()

        expect([...life.disk.records.keys()].sort()).toEqual(names)
        expect(life.disk.miscounts).toEqual([])

        for (const name of names) {
          expect(life.disk.records.get(name)).toEqual(life.store.encodedAsHeld(name))
        }
      })
    )
  })

  it('gives back to the next store all that is live, and leaves nothing else on disk (R1, N7)', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(10), async (taken, pause) => {
        const life = new Life()

        for (const step of taken) {
          await life.take(step)
        }

        await life.end()
        life.clock.time += pause
        life.store.sweep()
        const next = new Life({}, life)
        await next.restored()
        next.store.resumeExpiration()
        next.store.sweep()

        expect([...next.store.names()].sort()).toEqual([...life.store.names()].sort())

        for (const name of life.store.names()) {
          const key = Buffer.from(name, 'latin1')
          expect(next.store.get(key)).toEqual(life.store.get(key))
        }

        await next.end()
        expect([...next.disk.records.keys()].sort()).toEqual([...life.store.names()].sort())
      })
    )
  })
})

/** A store on a disk, between two starts. */
class Life {
  readonly clock: ManualClock
  readonly disk: GatedDisk
  readonly store: RecordStore
  readonly #journal: Journal

  constructor(options: RecordStoreOptions = {}, previous?: Life) {
    this.clock = previous?.clock ?? manualClock(START)
    this.disk = previous?.disk ?? new GatedDisk()
    this.store = new RecordStore({ clock: this.clock, ...options })
    this.#journal = new Journal({
      disk: this.disk,
      store: this.store,
      durability: 'written',
      log: silentLog
    })
    this.store.persistWith(this.#journal)
  }

  async restored(): Promise<void> {
    await restore(this.disk, this.store, this.#journal)
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'write': {
        const until = this.clock() + step.ttl
        const { subkey, key } = step
        this.store.apply(
          recordKey(key),
          subkey === undefined ? plainRecord(key, until) : subkeyRecord(subkey, key, until)
        )
        return
      }
      case 'pass':
        this.clock.time += step.seconds
        return
      case 'sweep':
        this.store.sweep()
        return
      case 'shut':
        return this.disk.shut()
      case 'open':
        return this.disk.open()
      case 'fail':
        this.disk.failure = new Error('no space left on device')
        this.disk.isUnsure = step.isUnsure
        return
      case 'mend':
        this.disk.failure = undefined
        return
      case 'settle':
        return pass(MAX_WRITE_RETRY_MS)
    }
  }

  async end(): Promise<void> {
    this.disk.failure = undefined
    this.disk.open()
    await this.#journal.close()
  }
}
