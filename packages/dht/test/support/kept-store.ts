import { type DHTRecord, plainRecord, recordKey } from '@waggle/record'
import { vi } from 'vitest'
import type { Durability } from '../../src/persistence/disk.ts'
import { Journal } from '../../src/persistence/journal.ts'
import { nameOf, RecordStore } from '../../src/store/record-store.ts'
import type { RecordStoreOptions } from '../../src/store/record-store-options.ts'
import { GatedDisk } from './gated-disk.ts'
import { type ManualClock, manualClock } from './manual-clock.ts'
import { silentLog } from './silent-log.ts'

/** A store with a journal on a disk, in manual time. */
export class KeptStore {
  readonly clock: ManualClock = manualClock(100)
  readonly disk: GatedDisk = new GatedDisk()
  readonly store: RecordStore
  readonly journal: Journal

  /** The journal's reports of its state: an error, or undefined when it has recovered. */
  readonly states: (Error | undefined)[] = []

  constructor({
    durability = 'written',
    ...options
  }: RecordStoreOptions & { durability?: Durability } = {}) {
    this.store = new RecordStore({ clock: this.clock, ...options })
    this.journal = new Journal({
      disk: this.disk,
      store: this.store,
      durability,
      log: silentLog,
      onStateChange: (failure) => this.states.push(failure)
    })
    this.store.persistWith(this.journal)
  }

  write(key: string, record: DHTRecord = plainRecord(key, 200)): void {
    this.store.apply(recordKey(key), record)
  }

  onDisk(key: string): Uint8Array | undefined {
    return this.disk.records.get(nameOf(recordKey(key)))
  }

  /** Numbers of changes in all batches. */
  get batchSizes(): number[] {
    return this.disk.batches.map(({ changes }) => changes.length)
  }
}

/** Stops all timers until a test lets time pass. */
export function stopTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'] })
}

/** Runs all timers that are due within this time. */
export async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}

export interface Settled {
  state: 'nothing to wait for' | 'pending' | 'resolved' | 'rejected'
  reason?: unknown
}

/** Records the present state of a promise. */
export function settled(promise: Promise<void> | undefined): Settled {
  const result: Settled = { state: promise === undefined ? 'nothing to wait for' : 'pending' }
  promise?.then(
    () => {
      result.state = 'resolved'
    },
    (reason) => {
      Object.assign(result, { state: 'rejected', reason })
    }
  )
  return result
}
