import {
  type DHTRecord,
  join,
  plainRecord,
  recordKey,
  subkeyRecord,
  tombstoneRecord,
  view
} from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { DEFAULT_NUM_REPLICAS } from '../../src/constants.ts'
import { UnreachableError } from '../../src/errors.ts'
import { nameOf } from '../../src/store/record-store.ts'
import { NEVER_FRESH } from '../../src/store/stored-record.ts'
import { ACTIVE } from '../support/cancellation.ts'
import { turns } from '../support/end-of-turn.ts'
import { SimulatedCache } from '../support/simulated-cache.ts'
import { START } from '../support/simulated-replicas.ts'

const HELD = { outcome: 'held', winner: undefined } as const
const KEY = recordKey('key')
const ALL = Array.from({ length: DEFAULT_NUM_REPLICAS }, (_, rank) => rank)
const EARLY = plainRecord('early', START + 100)
const LATE = plainRecord('late', START + 200)

/** A remembered answer counts for a minute, and is checked after five seconds. */
describe('the age of an answer (N5b)', () => {
  it('is cache.maxAge at most: what is older is asked for again', async () => {
    const node = new SimulatedCache(KEY, {}, { revalidateAfter: Number.POSITIVE_INFINITY })
    node.put(EARLY, ...ALL)
    await node.read()

    node.net.clock.time = START + 60
    expect((await node.read()).asked).toBe(0)
    node.put(LATE, ...ALL)
    node.net.clock.time = START + 60.1
    expect(await node.read()).toEqual({ record: LATE, asked: 1 })
    expect((await node.read()).asked).toBe(0)
  })

  it('is what a call allows: 0 asks one replica, Infinity nobody', async () => {
    const policy = { maxAge: 10, revalidateAfter: Number.POSITIVE_INFINITY }
    const node = new SimulatedCache(KEY, {}, policy)
    node.put(EARLY, ...ALL)
    await node.read()
    node.net.clock.time = START + 20

    expect((await node.read({ maxAge: Number.POSITIVE_INFINITY })).asked).toBe(0)
    expect((await node.read({ maxAge: 30 })).asked).toBe(0)
    expect((await node.read({ maxAge: 0 })).asked).toBe(1)
    expect((await node.read()).asked).toBe(0)
  })

  it('is no reason to answer what is too old when nobody can be reached', async () => {
    const node = new SimulatedCache(KEY, { isReplica: () => false })
    node.put(EARLY, ...ALL)
    await node.read()
    node.net.clock.time = START + 61

    for (const peer of node.net.peers) {
      peer.fails = 'always'
    }

    await expect(node.read()).rejects.toBeInstanceOf(UnreachableError)
    expect((await node.read({ maxAge: Number.POSITIVE_INFINITY })).record).toEqual(EARLY)
  })

  it('of a record in use is revalidateAfter: one replica says in the background that it is unchanged', async () => {
    const node = new SimulatedCache(KEY)
    node.put(LATE, ...ALL)
    await node.read()
    let asked = 0

    for (let read = 1; read <= 60; read++) {
      expect((await node.read()).asked).toBe(0)
      asked += await node.passUntil(START + read / 2)
    }

    expect(asked).toBe(6)
    expect(node.net.answers).toEqual(['record', ...Array.from({ length: 6 }, () => 'same')])
  })

  it('of a record in use ends with that: the next read finds what has changed', async () => {
    const node = new SimulatedCache(KEY)
    node.put(EARLY, ...ALL)
    await node.read()
    node.put(LATE, ...ALL)

    expect(await node.read()).toEqual({ record: EARLY, asked: 0 })
    await node.passUntil(START + 5)
    expect(await node.read()).toEqual({ record: LATE, asked: 0 })
  })

  it('is checked at once where a record was not in use for longer', async () => {
    const node = new SimulatedCache(KEY)
    node.put(EARLY, ...ALL)
    await node.read()
    node.put(LATE, ...ALL)
    expect(await node.passUntil(START + 50)).toBe(0)

    expect(await node.read()).toEqual({ record: EARLY, asked: 0 })
    await node.refreshed()
    expect(await node.read()).toEqual({ record: LATE, asked: 0 })
  })

  it('is checked once in revalidateAfter where nobody can be reached', async () => {
    const node = new SimulatedCache(KEY, { known: (rank) => rank === 0 })
    node.put(LATE, ...ALL)
    await node.read()
    node.net.peer(0).fails = 'always'
    let asked = 0

    for (let second = 1; second <= 20; second++) {
      await node.read()
      asked += await node.passUntil(START + second)
    }

    // Failing peers are asked once more, in case too few have answered.
    expect(asked).toBeLessThanOrEqual(2 * 4)
  })

  it('adds up on the way: that of a copy, and the time in the memory of its reader', async () => {
    const node = copied(30)
    expect(await node.read()).toEqual({ record: EARLY, asked: 1 })
    expect(node.cache.find(nameOf(KEY))?.freshMs).toBe(1000 * (START - 30))

    node.net.clock.time = START + 30
    expect((await node.read()).asked).toBe(0)
    node.net.clock.time = START + 31
    expect((await node.read()).asked).toBeGreaterThan(0)
  })

  it('counts for copies: one that is too old is no answer', async () => {
    const node = copied(30)
    expect((await node.read({ maxAge: 29 })).record).toEqual(LATE)
  })

  it('is not hidden by a copy of a copy: only what a replica has answered is left with others', async () => {
    const node = copied(30)
    await node.read()
    await turns()

    expect(node.net.copies).toEqual([])
  })

  it('is unknown after a sleep, in which the clock of the process may have stood still', async () => {
    const node = new SimulatedCache(KEY)
    node.put(EARLY, ...ALL)
    await node.read()
    node.cache.markAllOld()

    expect((await node.read({ maxAge: Number.POSITIVE_INFINITY })).asked).toBe(0)
    expect((await node.read()).asked).toBe(1)
  })

  it('is unknown after a sleep of what this node has stored, too', async () => {
    const node = new SimulatedCache(KEY)
    await node.write(EARLY)
    node.cache.markAllOld()

    expect((await node.read({ maxAge: Number.POSITIVE_INFINITY })).asked).toBe(0)
    expect((await node.read()).asked).toBe(1)
  })

  it('is unknown of what beats a write, after a sleep, too', async () => {
    const node = new SimulatedCache(KEY)
    node.put(LATE, ...ALL)
    node.reads.onWritten(KEY, EARLY, { outcome: 'beaten', winner: LATE })
    node.cache.markAllOld()

    expect((await node.read({ maxAge: Number.POSITIVE_INFINITY })).asked).toBe(1)
  })

  it('of what this node has stored and uses is revalidateAfter, too', async () => {
    const node = new SimulatedCache(KEY)
    await node.write(EARLY)
    await node.read()
    node.put(LATE, ...ALL)

    expect(await node.passUntil(START + 4)).toBe(0)
    expect(await node.passUntil(START + 5)).toBe(1)
    expect(await node.read()).toEqual({ record: LATE, asked: 0 })
  })

  it('of what this node has stored counts from the beginning of the store', async () => {
    const node = new SimulatedCache(KEY)
    node.reads.onWritten(KEY, LATE, { ...HELD, beganMs: 1000 * (START - 40) })

    node.net.clock.time = START + 20
    expect(await node.read()).toEqual({ record: LATE, asked: 0 })
    node.net.clock.time = START + 21
    expect((await node.read()).asked).toBeGreaterThan(0)
  })
})

/** The replicas have deleted a dictionary that expires later than the value. */
describe('the age of a plain value that this node stores over deleted subkeys (N5b)', () => {
  const before = subkeyRecord('a', 'before', START + 200)
  const deleted = tombstoneRecord(START + 201, { subkey: 'a' })
  const held = join(EARLY, deleted)
  const shownBy = ({ record }: { record: DHTRecord }): unknown => view(record, START)?.value

  it('does not count while this node knows the dictionary: the next read asks', async () => {
    const node = new SimulatedCache(KEY)
    node.reads.onWritten(KEY, before, HELD)
    node.put(held, ...ALL)
    node.reads.onWritten(KEY, EARLY, HELD)

    expect(await node.read()).toEqual({ record: held, asked: 1 })
    expect(await node.read()).toEqual({ record: held, asked: 0 })
  })

  it('does not make a remembered dictionary younger, which is read again at once', async () => {
    const node = new SimulatedCache(KEY)
    node.put(before, ...ALL)
    await node.read()
    node.net.clock.time = START + 1
    node.put(held, ...ALL)
    node.reads.onWritten(KEY, EARLY, HELD)

    await node.refreshed()
    expect(await node.read()).toEqual({ record: held, asked: 0 })
  })

  it('counts where this node knows the deletions', async () => {
    const node = new SimulatedCache(KEY)
    node.reads.onWritten(KEY, EARLY, HELD)
    node.reads.onWritten(KEY, deleted, HELD)

    expect(await node.read()).toEqual({ record: held, asked: 0 })
  })

  it('does not count for a copy that shows the dictionary again', async () => {
    const deletion = tombstoneRecord(START + 100)
    const node = copied(30, { old: before, held: join(deletion, deleted) })
    node.reads.onWritten(KEY, deletion, HELD)

    expect(await node.read()).toEqual({ record: join(deletion, before), asked: 1 })
    expect(shownBy(await node.read({ maxAge: 10 }))).toBeUndefined()
  })

  it('does not count for such a copy after a read that was under way when it was stored', async () => {
    const node = copied(30, { old: before, held })
    const reading = node.reads.read(KEY, { cancellation: ACTIVE })
    node.reads.onWritten(KEY, EARLY, HELD)
    expect(await reading).toEqual(EARLY)

    const sufficientExpirationTime = START + 150
    expect(shownBy(await node.read({ sufficientExpirationTime }))).toBeInstanceOf(Map)
    expect(shownBy(await node.read({ maxAge: 10 }))).toBe('early')
  })

  it('is not that of a copy for others, who may know the dictionary', async () => {
    const node = new SimulatedCache(KEY)
    node.put(held, ...ALL)
    node.reads.onWritten(KEY, EARLY, HELD)
    const freshMs = (): number | undefined => node.cache.find(nameOf(KEY))?.freshMs
    expect(freshMs()).toBe(NEVER_FRESH)

    node.net.clock.time = START + 1
    await node.read({ maxAge: 0 })
    expect(freshMs()).toBe(1000 * (START + 1))
  })

  it('is no reason to take only later changes from a watch that knows the deletions', () => {
    const node = new SimulatedCache(KEY, {}, { locally: false })
    const freshMs = 1000 * START
    node.reads.onWatched(KEY, deleted, { record: deleted, freshMs })
    node.reads.onWritten(KEY, EARLY, HELD)
    node.reads.onWatched(KEY, LATE, { record: join(LATE, deleted), freshMs })

    expect(node.cache.get(KEY)).toEqual(join(LATE, deleted))
  })
})

describe('a subkey that this node stores', () => {
  const [own, others] = [subkeyRecord('a', 1, START + 100), subkeyRecord('b', 2, START + 100)]

  it('is part of every read from then on, wherever it is held (N5b)', async () => {
    for (const latest of [false, true]) {
      const node = new SimulatedCache(KEY)
      node.put(others, ...ALL)
      node.reads.onWritten(KEY, own, HELD)
      const { record, asked } = await node.read({ latest })

      expect([...record.subkeys.values()]).toHaveLength(2)
      expect(asked).toBeGreaterThan(0)
    }
  })

  it('does not make a remembered dictionary younger (N5b)', async () => {
    const node = new SimulatedCache(KEY)
    node.put(others, ...ALL)
    await node.read()
    node.net.clock.time = START + 59
    node.reads.onWritten(KEY, own, HELD)

    expect((await node.read()).asked).toBe(0)
    node.net.clock.time = START + 61
    expect((await node.read()).asked).toBeGreaterThan(0)
  })
})

/**
 * Makes a node whose first answer is an old copy of a record that the replicas have replaced since.
 */
function copied(age: number, { old = EARLY, held = LATE } = {}): SimulatedCache {
  const node = new SimulatedCache(KEY, { known: (rank) => rank === 7 || rank === 8 })
  node.put(held, ...ALL)

  for (const rank of [7, 8]) {
    const { copies } = node.net.peer(rank)
    copies.apply(KEY, old)
    copies.markFresh(nameOf(KEY), 1000 * (START - age))
  }

  return node
}
