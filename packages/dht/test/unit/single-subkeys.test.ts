import {
  type DHTRecord,
  EMPTY_RECORD,
  isEmpty,
  join,
  plainRecord,
  recordKey,
  type SubkeyId,
  subkeyRecord,
  tombstoneRecord
} from '@waggle/record'
import { project, subkeyId } from '@waggle/record/replica'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_NUM_REPLICAS, SEARCH_WIDTH } from '../../src/constants.ts'
import { UnreachableError } from '../../src/errors.ts'
import { ACTIVE } from '../support/cancellation.ts'
import { law } from '../support/effort.ts'
import { turns } from '../support/end-of-turn.ts'
import { rejection } from '../support/rejection.ts'
import { SimulatedCache } from '../support/simulated-cache.ts'
import { Simulation, START } from '../support/simulated-replicas.ts'

const KEY = recordKey('party')
const ALICE = subkeyRecord('alice', 'yes', START + 100)
const BOB = subkeyRecord('bob', 'no', START + 200)
const LATER = subkeyRecord('alice', 'no', START + 300)
const [alice, bob] = [subkeyId('alice'), subkeyId('bob')]
const ALL = Array.from({ length: DEFAULT_NUM_REPLICAS }, (_, rank) => rank)

function put(net: Simulation, record: DHTRecord, ...ranks: readonly number[]): void {
  for (const rank of ranks) {
    net.peer(rank).store.apply(KEY, record)
  }
}

async function read(
  net: Simulation,
  subkey: SubkeyId,
  latest = false
): Promise<Awaited<ReturnType<Simulation['replicas']['read']>>> {
  return net.replicas.read(KEY, { cancellation: ACTIVE, subkey, latest })
}

describe('a read of one subkey', () => {
  it('takes the first peer that has it, whatever else that one holds (N5)', async () => {
    const net = new Simulation(KEY, { size: 40 })
    put(net, join(ALICE, BOB), ...ALL)

    expect((await read(net, alice)).record).toEqual(ALICE)
    expect(net.ranks('find')).toEqual([0])
  })

  it('asks no farther than the replicas where these hold the key without it (N5)', async () => {
    const net = new Simulation(KEY, { size: 40 })
    put(net, BOB, ...ALL)

    expect(isEmpty((await read(net, alice)).record)).toBe(true)
    expect(net.ranks('find')).toEqual(ALL)
  })

  it('asks as far as for any key where nobody holds the key (N5)', async () => {
    const net = new Simulation(KEY, { size: 40 })

    expect((await read(net, alice)).record).toEqual(EMPTY_RECORD)
    expect(net.ranks('find')).toHaveLength(SEARCH_WIDTH)
  })

  it('is no plain value, and goes on behind it (R8, N5)', async () => {
    const net = new Simulation(KEY, { size: 40 })
    put(net, plainRecord('plain', START + 50), 0, 1)
    put(net, join(plainRecord('plain', START + 50), ALICE), 2, 3, 4)

    expect((await read(net, alice)).record.subkeys).toEqual(ALICE.subkeys)
    expect(net.ranks('find').length).toBeGreaterThan(1)
  })

  it('rejects where too few of the nearest can say that it is not there (N11a)', async () => {
    const net = new Simulation(KEY, { size: 40 })
    put(net, BOB, ...ALL)

    for (const rank of [1, 2, 3, 4]) {
      net.peer(rank).fails = 'always'
    }

    for (let rank = DEFAULT_NUM_REPLICAS; rank < 39; rank++) {
      net.peer(rank).fails = 'always'
    }

    expect(await rejection(read(net, alice))).toBeInstanceOf(UnreachableError)
    expect((await read(net, bob)).record).toEqual(BOB)
  })

  it('joins what all replicas have of it when the latest is wanted, and repairs holders (N5)', async () => {
    const net = new Simulation(KEY, { size: 8 })
    put(net, join(ALICE, BOB), 0, 1, 2)
    put(net, LATER, 2)
    const reading = await read(net, alice, true)

    expect(reading.record).toEqual(LATER)
    await net.replicas.repair(KEY, reading)
    expect(net.ranks('store')).toEqual([0, 1])
    expect(net.peer(0).store.get(KEY)).toEqual(join(LATER, BOB))
    // A peer without the record would get a dictionary of one entry.
    expect(net.peer(3).store.get(KEY)).toEqual(EMPTY_RECORD)
  })

  it('counts what this node holds as a replica', async () => {
    const net = new Simulation(KEY, { size: 8, selfRank: 2 })
    put(net, join(ALICE, BOB), 2)

    expect((await read(net, bob)).record).toEqual(BOB)
    expect(net.ranks('find')).toEqual([])
  })
})

describe('a subkey that was read', () => {
  it('answers for itself, and for nothing else (cache.locally)', async () => {
    const node = new SimulatedCache(KEY)
    node.put(join(ALICE, BOB), ...ALL)

    expect(await node.read({ subkey: alice })).toEqual({ record: ALICE, asked: 1 })
    expect(await node.read({ subkey: alice })).toEqual({ record: ALICE, asked: 0 })
    expect(await node.read({ subkey: bob })).toEqual({ record: BOB, asked: 1 })
    expect(await node.read()).toEqual({ record: join(ALICE, BOB), asked: 1 })
    expect(await node.read()).toEqual({ record: join(ALICE, BOB), asked: 0 })
  })

  it('is left with nobody as a copy of the dictionary (cache.nearest)', async () => {
    const node = new SimulatedCache(KEY)
    node.put(join(ALICE, BOB), 1, 2, 3, 4)
    await node.read({ subkey: alice })
    expect(node.net.copies).toEqual([])
    await node.read()

    expect(node.net.copies).toEqual([0])
  })

  it('is answered by a whole that is known', async () => {
    const node = new SimulatedCache(KEY)
    node.put(join(ALICE, BOB), ...ALL)
    await node.read()

    expect(await node.read({ subkey: bob })).toEqual({ record: BOB, asked: 0 })
  })

  it('is never older than what a get has shown, and the other way round (N5a)', async () => {
    const node = new SimulatedCache(KEY)
    node.put(join(ALICE, BOB), ...ALL)
    node.put(LATER, 4)
    expect((await node.read({ subkey: alice, latest: true })).record).toEqual(LATER)
    await turns()

    // The next answer may come from a copy that is behind.
    for (const rank of ALL) {
      node.net.peer(rank).store.clear()
    }

    node.put(join(ALICE, BOB), ...ALL)
    expect((await node.read()).record).toEqual(join(LATER, BOB))
    expect((await node.read({ subkey: alice })).record).toEqual(LATER)
  })

  it('joins what a whole that is remembered has of it', async () => {
    const node = new SimulatedCache(KEY)
    node.put(join(ALICE, BOB), ...ALL)
    await node.read()
    node.put(LATER, ...ALL)
    await node.read({ subkey: alice, latest: true })

    expect(await node.read()).toEqual({ record: join(LATER, BOB), asked: 0 })
  })

  it('is what this node has written, once it has (cache.onStore)', async () => {
    const node = new SimulatedCache(KEY)
    node.put(join(ALICE, BOB), ...ALL)
    await node.read({ subkey: alice })
    expect(await node.write(LATER)).toBe(true)

    expect(await node.read({ subkey: alice })).toEqual({ record: LATER, asked: 0 })
  })

  it('is read again before it expires, without the rest (cache.refreshBeforeExpiry)', async () => {
    const any = Number.POSITIVE_INFINITY
    const node = new SimulatedCache(KEY, {}, { maxAge: any, revalidateAfter: any })
    node.put(join(ALICE, BOB), ...ALL)
    await node.read({ subkey: alice })
    await node.read({ subkey: alice })
    node.put(LATER, ...ALL)

    expect(await node.passUntil(START + 99)).toBe(1)
    expect(await node.read({ subkey: alice })).toEqual({ record: LATER, asked: 0 })
    expect((await node.read()).asked).toBe(1)
  })
})

describe('the age of a subkey that was read', () => {
  it('counts for that subkey alone (cache.maxAge)', async () => {
    const node = new SimulatedCache(KEY)
    node.put(join(ALICE, BOB), ...ALL)
    await node.read({ subkey: alice })
    node.net.clock.time = START + 50
    await node.read({ subkey: bob })

    expect((await node.read({ subkey: alice, maxAge: 20 })).asked).toBe(1)
    expect((await node.read({ subkey: bob, maxAge: 20 })).asked).toBe(0)
    node.net.clock.time = START + 71
    expect((await node.read({ subkey: alice, maxAge: 20 })).asked).toBe(1)
  })

  it('ends with what the cache keeps of the key', async () => {
    const node = new SimulatedCache(KEY)
    node.put(join(ALICE, BOB), ...ALL)
    await node.read({ subkey: alice })
    node.cache.clear()
    await node.read({ subkey: bob })

    expect((await node.read({ subkey: alice })).asked).toBe(1)
  })

  it('is that of a whole that was read later (cache.maxAge)', async () => {
    const node = new SimulatedCache(KEY)
    node.put(join(ALICE, BOB), ...ALL)
    await node.read({ subkey: alice })
    node.net.clock.time = START + 50
    await node.read()

    expect((await node.read({ subkey: alice, maxAge: 20 })).asked).toBe(0)
  })
})

/** An event between two reads. */
const step = fc.record({
  what: fc.constantFrom('write', 'delete', 'own write', 'lose', 'get', 'latest'),
  subkey: fc.constantFrom(undefined, 'alice', 'bob'),
  rank: fc.nat(DEFAULT_NUM_REPLICAS - 1)
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** A node that reads and writes, and its results. */
class Reader {
  readonly node: SimulatedCache = new SimulatedCache(KEY)
  shown: DHTRecord = EMPTY_RECORD
  #until = START + 100_000

  constructor() {
    this.node.put(join(ALICE, BOB), ...ALL)
  }

  async take({ what, subkey, rank }: Step): Promise<void> {
    const name = subkey ?? 'alice'
    const until = ++this.#until

    switch (what) {
      case 'write':
        return this.node.put(subkeyRecord(name, until, until), rank)
      case 'delete':
        return this.node.put(tombstoneRecord(until, { subkey: name }), rank)
      case 'own write':
        await this.node.write(subkeyRecord(name, until, until))
        return
      case 'lose':
        return this.node.net.peer(rank).store.clear()
      default:
        return this.#read(what === 'latest', subkey === undefined ? undefined : subkeyId(subkey))
    }
  }

  async #read(latest: boolean, subkey: SubkeyId | undefined): Promise<void> {
    const { record } = await this.node.read({ latest, subkey })
    const before = subkey === undefined ? this.shown : project(this.shown, [subkey])
    expect(join(record, before)).toEqual(record)
    this.shown = join(this.shown, record)
  }
}

describe('reads of a key and of its subkeys', () => {
  it('never go back, in whatever order they come (N5a)', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 24 }), async (steps) => {
        const reader = new Reader()

        for (const step of steps) {
          await reader.take(step)
        }
      }),
      law()
    )
  })
})
