import { type DHTRecord, recordKey, subkeyRecord } from '@waggle/record'
import { DEFAULT_LIMITS } from '@waggle/record/replica'
import { describe, expect, it } from 'vitest'
import { RecordStore } from '../../src/store/record-store.ts'
import { ACTIVE } from '../support/cancellation.ts'
import { Simulation, START } from '../support/simulated-replicas.ts'

const KEY = recordKey('key')

describe('Replicas.repair, of a record larger than any replica takes', () => {
  it('sends nobody what all hold together and none could hold alone, nor a copy of it (R12, N13l)', async () => {
    const limits = { ...DEFAULT_LIMITS, maxRecordBytes: 300 }
    const half = (name: string): DHTRecord =>
      subkeyRecord(name, 'x'.repeat(200), START + 100, limits)
    const store = new RecordStore({ limits, clock: () => START })
    const net = new Simulation(KEY, { size: 10, store })
    net.peer(0).store.apply(KEY, half('a'))
    net.peer(1).store.apply(KEY, half('b'))
    const reading = await net.replicas.read(KEY, { cancellation: ACTIVE, latest: true })
    await net.replicas.repair(KEY, reading)

    expect(reading.record.subkeys.size).toBe(2)
    expect(reading.behind).toHaveLength(5)
    net.replicas.cacheOnPath(KEY, reading.record, reading.behind)
    expect(net.ranks('store')).toEqual([])
    expect(net.copies).toEqual([])
  })
})
