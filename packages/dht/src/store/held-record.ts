import { type DHTRecord, type Key, parseRecordKey } from '@waggle/record'
import { keyOf, type RecordStore } from './record-store.ts'

/** A record that a node stores for others. */
export interface HeldRecord {
  /** Decoded from its bytes at each access. */
  readonly key: Key
  readonly record: DHTRecord
}

/** Lists all live records of a store, each in its state at the time of iteration. */
export function* heldRecords(store: RecordStore): Generator<HeldRecord, void, undefined> {
  for (const [name, record] of store.live()) {
    yield {
      get key() {
        return parseRecordKey(keyOf(name), store.limits)
      },
      record
    }
  }
}
