import { recordKey } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import type { StoreEntry } from '../../src/operations/call-options.ts'
import { operations } from '../support/simulated-operations.ts'
import { Simulation } from '../support/simulated-replicas.ts'

const KEY = 'key'

describe('the times of storeMany', () => {
  it.each([
    ['an array', (entries: StoreEntry[]) => entries],
    ['another iterable', (entries: StoreEntry[]) => new Set(entries)]
  ])('have the later of two entries of %s in one place win, as of two calls', async (_, given) => {
    const dht = operations(new Simulation(recordKey(KEY), { size: 6 }))
    await dht.storeMany(given(['z', 'b', 'a'].map((value) => ({ key: KEY, value }))), { ttl: 600 })

    expect((await dht.get(KEY, { latest: true }))?.value).toBe('a')
  })

  it('count the ttl of an entry from the moment at which it is drawn', async () => {
    const net = new Simulation(recordKey(KEY), { size: 6 })
    const { clock } = net
    const dht = operations(net)
    function* slowly(): Generator<StoreEntry> {
      yield { key: 'early', value: 1, ttl: 10 }
      clock.time += 11
      yield { key: 'late', value: 2, ttl: 10 }
    }
    await dht.storeMany(slowly())

    expect(await dht.get('late', { latest: true })).toEqual({
      value: 2,
      expirationTime: expect.closeTo(clock.time + 10, 3)
    })
  })
})
