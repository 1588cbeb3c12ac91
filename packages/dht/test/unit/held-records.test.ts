import { getDHTTime, join, plainRecord, recordKey, subkeyRecord } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { heldRecords } from '../../src/store/held-record.ts'
import { RecordStore } from '../../src/store/record-store.ts'

const soon = getDHTTime() + 60

describe('heldRecords', () => {
  it('gives every record that is live, with its key', () => {
    const store = new RecordStore()
    const party = join(subkeyRecord('alice', 'yes', soon), subkeyRecord('carol', 'no', soon))
    store.apply(recordKey('plain'), plainRecord(1, soon))
    store.apply(recordKey(['party', 0]), party)
    const held = Array.from(heldRecords(store), ({ key, record }) => [key, record])

    expect(held).toEqual([
      ['plain', plainRecord(1, soon)],
      [['party', 0], party]
    ])
  })

  it('leaves out what has expired, though it is not swept yet (R1)', () => {
    let now = soon
    const store = new RecordStore({ clock: () => now })
    store.apply(recordKey('plain'), plainRecord(1, soon + 10))
    store.apply(
      recordKey('party'),
      join(subkeyRecord('early', 1, soon + 10), subkeyRecord('late', 2, soon + 20))
    )
    now = soon + 10

    expect(Array.from(heldRecords(store), ({ key, record }) => [key, record])).toEqual([
      ['party', subkeyRecord('late', 2, soon + 20)]
    ])
  })
})
