import { plainRecord, recordKey } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { SEARCH_WIDTH } from '../../src/constants.ts'
import { settingsOf } from '../../src/node/settings.ts'
import { operations } from '../support/simulated-operations.ts'
import { Simulation, START } from '../support/simulated-replicas.ts'

const KEY = recordKey('key')
const NEWER = { expirationTime: START + 100 }
const OLDER = { expirationTime: START + 0.05 }

/** Faults of Hivemind's DHT, row by row of docs/hivemind.md. */
describe('a bug of hivemind', () => {
  it.each([
    ['a value', {}],
    ['a subkey', { subkey: 'a' }]
  ])(
    'is not here: an older store that is refused takes %s with it when it expires',
    async (_, place) => {
      const net = new Simulation(KEY, { size: 6 })
      const dht = operations(net)
      expect(await dht.store('key', 'newer', { ...NEWER, ...place })).toBe(true)
      expect(await dht.store('key', 'older', { ...OLDER, ...place })).toBe(false)
      net.clock.time = START + 1

      for (const { store } of net.peers) {
        store.sweep()
      }

      expect((await dht.get('key', { latest: true }))?.expirationTime).toBe(START + 100)
    }
  )

  it.each([0, 2, 4])(
    'is not here: the last replica decides, when number %i holds what is later',
    async (rank) => {
      const net = new Simulation(KEY, { size: 6 })
      net.peer(rank).store.apply(KEY, plainRecord('later', START + 200))

      expect(await operations(net).store('key', 'earlier', NEWER)).toBe(false)
    }
  )

  it('is not here: a client keeps one of the replicas to itself', async () => {
    const net = new Simulation(KEY, { size: 6, selfRank: 0, isReplica: () => false })
    await operations(net).store('key', 1, NEWER)

    expect(net.holders(KEY)).toEqual([1, 2, 3, 4, 5])
  })

  it('is not here: maps with integer keys are stored and can not be read', async () => {
    const dht = operations(new Simulation(KEY, { size: 6 }))

    await expect(dht.store('key', new Map([[1, 2]]) as never, NEWER)).rejects.toThrow(TypeError)
    expect(await dht.store('key', { 1: 2 }, NEWER)).toBe(true)
    expect((await dht.get('key'))?.value).toEqual({ 1: 2 })
  })

  it('is not here: subkeys that are equal in Python collide', async () => {
    const dht = operations(new Simulation(KEY, { size: 6 }))
    const subkeys = [0, false, 1, true, '', '0']

    for (const subkey of subkeys) {
      await dht.store('key', String(subkey), { ...NEWER, subkey })
    }

    expect((await dht.get('key', { latest: true }))?.value).toHaveProperty('size', subkeys.length)
  })

  it('is not here: an option to refresh the table that ends in an error', () => {
    expect(() => settingsOf({ refreshTimeoutMs: 1000 } as never)).toThrow('refreshTimeoutMs')
  })

  it('is not here: latest gets and stores ask twenty peers', async () => {
    const net = new Simulation(KEY, { size: 2 * SEARCH_WIDTH })
    const dht = operations(net)
    await dht.store('key', 1, NEWER)
    await dht.get('key', { latest: true })

    expect([net.ranks('store').length, net.ranks('find').length]).toEqual([5, 5])
  })
})
