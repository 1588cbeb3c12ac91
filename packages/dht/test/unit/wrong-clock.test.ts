import { plainRecord, recordKey, subkeyRecord } from '@waggle/record'
import { MemoryDatastore } from 'datastore-core'
import { expect, it } from 'vitest'
import { openPersistence, type Persistence } from '../../src/persistence/persistence.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { manualClock } from '../support/manual-clock.ts'
import { silentLog } from '../support/silent-log.ts'

const NOW = 1_000_000

it('loses nothing when the clock is an hour ahead for a moment, parts included (N8m)', async () => {
  const clock = manualClock(NOW)
  const datastore = new MemoryDatastore()
  let persistence: Persistence | undefined
  let store = new RecordStore({ clock })
  const start = async (): Promise<void> => {
    await persistence?.close()
    store = new RecordStore({ clock })
    const logger = { forComponent: () => silentLog }
    persistence = await openPersistence({ datastore, store, logger })
  }
  const held = (...keys: string[]): boolean[] =>
    keys.map((key) => store.encoded(recordKey(key)) !== undefined)

  await start()
  store.apply(recordKey('plain'), plainRecord(1, NOW + 1800))
  store.apply(recordKey('party'), subkeyRecord('alice', 1, NOW + 1800))
  store.apply(recordKey('party'), subkeyRecord('bob', 2, NOW + 7200))
  const whole = store.get(recordKey('party'))
  clock.time = NOW + 3600
  await start()
  store.sweep()
  expect(held('plain', 'party')).toEqual([false, true])
  expect(store.get(recordKey('party'))).toEqual(subkeyRecord('bob', 2, NOW + 7200))

  clock.time = NOW + 1
  store.suspendExpiration()
  expect(held('plain', 'party')).toEqual([true, true])
  expect(store.get(recordKey('party'))).toEqual(whole)
  await start()
  expect(held('plain', 'party')).toEqual([true, true])
  expect(store.get(recordKey('party'))).toEqual(whole)
  await persistence?.close()
})
