import { plainRecord, recordKey, subkeyRecord, tombstoneRecord } from '@waggle/record'
import { describe, expect, it, vi } from 'vitest'
import { DEFAULT_NUM_REPLICAS } from '../../src/constants.ts'
import { turns } from '../support/end-of-turn.ts'
import { SimulatedCache } from '../support/simulated-cache.ts'
import { START } from '../support/simulated-replicas.ts'

const HELD = { outcome: 'held', winner: undefined } as const
const KEY = recordKey('key')
const ALL = Array.from({ length: DEFAULT_NUM_REPLICAS }, (_, rank) => rank)
const EARLY = plainRecord('early', START + 100)
const LATE = plainRecord('late', START + 200)

/** Accepts answers of any age, as Hivemind does. */
const ANY_AGE = { maxAge: Number.POSITIVE_INFINITY, revalidateAfter: Number.POSITIVE_INFINITY }

describe('CachedReads.read', () => {
  it('asks nobody again for what it has found, until it expires (cache.locally)', async () => {
    const node = new SimulatedCache(KEY, {}, { ...ANY_AGE, refreshBeforeExpiry: 0 })
    node.put(EARLY, ...ALL)

    expect(await node.read()).toEqual({ record: EARLY, asked: 1 })
    expect(await node.read()).toEqual({ record: EARLY, asked: 0 })
    node.net.clock.time = START + 99.9
    expect(await node.read()).toEqual({ record: EARLY, asked: 0 })
    node.net.clock.time = START + 100
    expect((await node.read()).asked).toBeGreaterThan(0)
    expect(node.reads.hits).toBe(2)
  })

  it('asks each time when it is to remember nothing (cache.locally: false)', async () => {
    const node = new SimulatedCache(KEY, {}, { locally: false })
    node.put(EARLY, ...ALL)

    expect(await node.read()).toEqual({ record: EARLY, asked: 1 })
    expect(await node.read()).toEqual({ record: EARLY, asked: 1 })
    expect(node.cache.records).toBe(0)
  })

  it('asks all replicas for the latest, whatever it remembers (N5)', async () => {
    const node = new SimulatedCache(KEY)
    node.put(EARLY, ...ALL)
    await node.read()
    node.put(LATE, 3)

    expect(await node.read({ latest: true })).toEqual({ record: LATE, asked: 5 })
    expect(await node.read()).toEqual({ record: LATE, asked: 0 })
  })

  it('asks for more when what it remembers expires too early (N5)', async () => {
    const node = new SimulatedCache(KEY)
    node.put(EARLY, ...ALL)
    await node.read()
    node.put(LATE, ...ALL)

    expect((await node.read({ sufficientExpirationTime: START + 100 })).asked).toBe(0)
    expect(await node.read({ sufficientExpirationTime: START + 101 })).toEqual({
      record: LATE,
      asked: 1
    })
  })

  it('never goes back to what this node holds of old as a replica', async () => {
    const node = new SimulatedCache(KEY, { selfRank: 7 })
    node.put(EARLY, 7)
    node.put(LATE, ...ALL)
    await node.read({ sufficientExpirationTime: START + 150 })

    expect(await node.read()).toEqual({ record: LATE, asked: 0 })
  })

  it('remembers nothing twice that it holds as a replica', async () => {
    const node = new SimulatedCache(KEY, { selfRank: 2 })
    node.put(LATE, ...ALL)
    await node.read({ latest: true })

    expect(node.cache.records).toBe(0)
  })

  it('remembers nothing of its own writes that it holds as a replica', async () => {
    const node = new SimulatedCache(KEY, { selfRank: 2 })
    expect(await node.write(LATE)).toBe(true)

    expect([node.net.self.store.records, node.cache.records]).toEqual([1, 0])
    expect(await node.read()).toEqual({ record: LATE, asked: 0 })
  })

  it('remembers nothing partial of a search that nobody waited for', async () => {
    const node = new SimulatedCache(KEY, { requestTimeoutMs: 200 })
    const hanging = node.net.peer(1)
    node.put(subkeyRecord('a', 1, START + 100), 0)
    hanging.hangs = 'always'
    const cancellation = { isCancelled: false }
    // The promise stays pending: the caller has cancelled it.
    void node.reads.read(KEY, { cancellation, latest: true })
    await turns(5)
    cancellation.isCancelled = true
    await vi.waitUntil(() => node.net.book.isAvoided(hanging))
    await turns(5)

    expect(node.cache.records).toBe(0)
  })

  it('has room for so many records, and forgets what expires first', async () => {
    const node = new SimulatedCache(KEY, {}, { size: 2 })
    const keys = ['a', 'b', 'c'].map((name) => recordKey(name))

    for (const [i, key] of keys.entries()) {
      node.reads.onWritten(key, plainRecord(i, START + 100 - i), HELD)
    }

    expect(keys.map((key) => node.cache.get(key).plain !== undefined)).toEqual([true, true, false])
  })
})

describe('a cached record', () => {
  it('is always there for readers, when its publisher renews it in time', async () => {
    const node = new SimulatedCache(KEY, {}, ANY_AGE)
    node.put(plainRecord('v', START + 12), ...ALL)
    await node.read()

    for (let second = 1; second < 300; second++) {
      if (second % 10 === 0) {
        node.put(plainRecord('v', START + second + 12), ...ALL)
      }

      await node.passUntil(START + second)
      expect((await node.read()).asked, `after ${second} s`).toBe(0)
    }
  })

  it('is fetched again 5 s before it expires, once, if it was used (cache.refreshBeforeExpiry)', async () => {
    const node = new SimulatedCache(KEY, {}, ANY_AGE)
    node.put(EARLY, ...ALL)
    await node.read()
    await node.read()
    node.put(LATE, ...ALL)

    expect(await node.passUntil(START + 94.875)).toBe(0)
    expect(await node.passUntil(START + 95)).toBe(1)
    expect(await node.passUntil(START + 300)).toBe(0)
  })

  it('is not fetched again when nobody uses it', async () => {
    const node = new SimulatedCache(KEY, {}, ANY_AGE)
    node.put(EARLY, ...ALL)
    await node.read()

    expect(await node.passUntil(START + 300)).toBe(0)
  })

  it('is not fetched again when that is switched off (cache.refreshBeforeExpiry: 0)', async () => {
    const node = new SimulatedCache(KEY, {}, { ...ANY_AGE, refreshBeforeExpiry: 0 })
    node.put(EARLY, ...ALL)
    await node.read()
    await node.read()

    expect(await node.passUntil(START + 300)).toBe(0)
  })

  it('is not fetched again for a use of what has been replaced since', async () => {
    const node = new SimulatedCache(KEY, {}, ANY_AGE)
    node.put(EARLY, ...ALL)
    await node.read()
    await node.read()
    await node.write(LATE)

    expect(await node.passUntil(START + 190)).toBe(0)
  })

  it('is fetched again but a few times when its publisher lets it expire', async () => {
    const node = new SimulatedCache(KEY, {}, ANY_AGE)
    node.put(EARLY, ...ALL)
    await node.read()
    let searches = 0

    while (node.net.clock.time < START + 99.75) {
      await node.read()
      searches += Math.ceil((await node.passUntil(node.net.clock.time + 0.125)) / 5)
    }

    expect(searches).toBeGreaterThan(1)
    expect(searches).toBeLessThan(6)
  })

  it('keeps no count of what was used and forgotten', async () => {
    const size = 10
    const node = new SimulatedCache(KEY, {}, { ...ANY_AGE, size })

    for (let i = 0; i < 1000; i++) {
      const key = recordKey(i)
      node.reads.onWritten(key, plainRecord(i, START + 1000 + i), HELD)
      await node.reads.read(key, { cancellation: { isCancelled: false } })
    }

    expect(node.cache.records).toBe(size)
    expect(node.reads.refreshes).toBeLessThanOrEqual(2 * size)
  })
})

describe('what this node stores', () => {
  it('is remembered (cache.onStore)', async () => {
    const node = new SimulatedCache(KEY, {}, ANY_AGE)
    await node.write(EARLY)

    expect(await node.read()).toEqual({ record: EARLY, asked: 0 })
  })

  it('is not remembered when that is switched off (cache.onStore: false)', async () => {
    const node = new SimulatedCache(KEY, {}, { ...ANY_AGE, onStore: false })
    await node.write(EARLY)

    expect((await node.read()).asked).toBe(1)
  })

  it('is fetched again before it expires when only what is stored is remembered', async () => {
    const node = new SimulatedCache(KEY, {}, { ...ANY_AGE, locally: false })
    await node.write(EARLY)
    await node.read()
    node.put(LATE, ...ALL)
    await node.passUntil(START + 100)

    expect(await node.read()).toEqual({ record: LATE, asked: 0 })
  })

  it('updates a remembered dictionary, which is fetched again at once', async () => {
    const node = new SimulatedCache(KEY, {}, ANY_AGE)
    node.put(subkeyRecord('a', 1, START + 100), ...ALL)
    await node.read()
    node.put(subkeyRecord('b', 2, START + 100), ...ALL)
    node.net.clock.time = START + 1
    await node.write(subkeyRecord('c', 3, START + 100))

    expect([...(await node.read()).record.subkeys.values()]).toHaveLength(2)
    await node.refreshed()
    const { record, asked } = await node.read()
    expect([record.subkeys.size, asked]).toEqual([3, 0])
  })

  it('begins no dictionary of one entry where others may have more', async () => {
    const node = new SimulatedCache(KEY, {}, ANY_AGE)
    node.put(subkeyRecord('b', 2, START + 100), ...ALL)
    await node.write(subkeyRecord('c', 3, START + 100))

    expect((await node.read()).record.subkeys.size).toBe(2)
  })

  it('and is refused leaves what beats it, and has it fetched again', async () => {
    const node = new SimulatedCache(KEY, {}, ANY_AGE)
    node.put(LATE, ...ALL)
    await node.read()
    node.put(plainRecord('latest', START + 300), ...ALL)

    const latest = { record: plainRecord('latest', START + 300), asked: 0 }

    expect(await node.write(EARLY)).toBe(false)
    expect(await node.read()).toEqual(latest)
    await node.refreshed()
    expect(await node.read()).toEqual(latest)
  })

  it('and deletes something is gone from memory, too', async () => {
    const node = new SimulatedCache(KEY, {}, ANY_AGE)
    node.put(EARLY, ...ALL)
    await node.read()
    await node.write(tombstoneRecord(START + 200))

    expect((await node.read()).record).toEqual(tombstoneRecord(START + 200))
  })
})

describe('copies at the nearest peers', () => {
  it('are left with the nearest one that had nothing (cache.nearest)', async () => {
    const node = new SimulatedCache(KEY)
    node.put(EARLY, 2, 3, 4)
    await node.read()
    await turns()

    expect(node.net.copies).toEqual([0])
  })

  it('are left with as many as wanted, of those that are nearer than one that had something', async () => {
    const node = new SimulatedCache(KEY, {}, { nearest: 3 })
    node.put(EARLY, 2)
    await node.read()
    await turns()

    expect(node.net.copies).toEqual([0, 1])
  })

  it('are left with nobody when that is switched off (cache.nearest: 0)', async () => {
    const node = new SimulatedCache(KEY, {}, { nearest: 0 })
    node.put(EARLY, 2, 3, 4)
    await node.read()
    await turns()

    expect(node.net.copies).toEqual([])
  })

  it('are left with nobody when the nearest had it', async () => {
    const node = new SimulatedCache(KEY)
    node.put(EARLY, 0, 2, 3, 4)
    await node.read()
    await turns()

    expect(node.net.copies).toEqual([])
  })

  it('are no business of this node itself, which remembers by other means', async () => {
    const node = new SimulatedCache(KEY, { selfRank: 0 })
    node.put(EARLY, 2, 3, 4)
    await node.read()
    await turns()

    expect(node.net.copies).toEqual([1])
  })

  it('are not needed where replicas are brought up to date', async () => {
    const node = new SimulatedCache(KEY)
    node.put(EARLY, 2, 3, 4)
    await node.read({ latest: true })
    await turns(3)

    expect(node.net.copies).toEqual([])
    expect(node.net.holders(KEY)).toEqual(ALL)
  })
})
