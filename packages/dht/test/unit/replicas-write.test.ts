import { type DHTRecord, plainRecord, recordKey, subkeyRecord, view } from '@waggle/record'
import { describe, expect, it, vi } from 'vitest'
import { DEFAULT_NUM_REPLICAS } from '../../src/constants.ts'
import type { Operations } from '../../src/operations/operations.ts'
import { NotStoredError, type StoreOutcome } from '../../src/operations/store-report.ts'
import type { PeerOutcome, WriteResult } from '../../src/reading/write-replies.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { ACTIVE, CANCELLED } from '../support/cancellation.ts'
import { turns } from '../support/end-of-turn.ts'
import { manualClock } from '../support/manual-clock.ts'
import { ManualPersistence } from '../support/manual-persistence.ts'
import { rejection } from '../support/rejection.ts'
import { operations } from '../support/simulated-operations.ts'
import { Simulation, type SimulationOptions, START } from '../support/simulated-replicas.ts'

const KEY = recordKey('key')
const WRITE = plainRecord('a value', START + 100)
const NEAREST = Array.from({ length: DEFAULT_NUM_REPLICAS }, (_, rank) => rank)

function outcomesOf({ peers }: WriteResult): PeerOutcome[] {
  return [...peers.values()]
}

function acceptedOf(result: WriteResult): number {
  return outcomesOf(result).filter((outcome) => outcome === 'accepted').length
}

function network(options: SimulationOptions): Simulation {
  return new Simulation(KEY, options)
}

describe('Replicas.write', () => {
  it('goes to the nearest peers, as many as hold a record, and to no other (N6)', async () => {
    const net = network({ size: 20 })

    expect(outcomesOf(await net.replicas.write(KEY, WRITE, ACTIVE))).toEqual(
      NEAREST.map(() => 'accepted')
    )
    expect(net.holders(KEY)).toEqual(NEAREST)
    expect(net.ranks('store')).toEqual(NEAREST)
  })

  it('goes to as many peers as it is told to (N6)', async () => {
    const net = network({ size: 20, numReplicas: 2 })
    await net.replicas.write(KEY, WRITE, ACTIVE)

    expect(net.holders(KEY)).toEqual([0, 1])
  })

  it('counts this node when it is among the nearest (N6)', async () => {
    const net = network({ size: 20, selfRank: 3 })

    expect(acceptedOf(await net.replicas.write(KEY, WRITE, ACTIVE))).toBe(DEFAULT_NUM_REPLICAS)
    expect(net.holders(KEY)).toEqual(NEAREST)
    expect(net.self.store.get(KEY)).toEqual(WRITE)
    expect(net.ranks('store')).toEqual([0, 1, 2, 4])
  })

  it('leaves this node out when it is a client, however near (N6)', async () => {
    const net = network({ size: 20, selfRank: 0, isReplica: () => false })
    await net.replicas.write(KEY, WRITE, ACTIVE)

    expect(net.holders(KEY)).toEqual([1, 2, 3, 4, 5])
    expect(net.self.store.records).toBe(0)
  })

  it('is held by this node when there is no other (N6)', async () => {
    const net = network({ size: 1 })

    expect(outcomesOf(await net.replicas.write(KEY, WRITE, ACTIVE))).toEqual(['accepted'])
    expect(net.self.store.get(KEY)).toEqual(WRITE)
  })

  it('counts as accepted by this node when it is durable here, else as refused (N6)', async () => {
    const keeper = new ManualPersistence()
    const net = network({ size: 1 })
    net.self.store.persistWith(keeper)
    const first = net.replicas.write(KEY, WRITE, ACTIVE)
    await vi.waitFor(() => expect(keeper.waiting).toHaveLength(1))
    keeper.waiting[0]?.resolve()
    expect(outcomesOf(await first)).toEqual(['accepted'])

    const second = net.replicas.write(KEY, plainRecord('another value', START + 200), ACTIVE)
    await vi.waitFor(() => expect(keeper.waiting).toHaveLength(2))
    keeper.waiting[1]?.reject(new Error('no space left on device'))
    expect(outcomesOf(await second)).toEqual(['full'])
  })

  it('is held by nobody when there is but a client', async () => {
    const net = network({ size: 1, isReplica: () => false })

    expect(await net.replicas.write(KEY, WRITE, ACTIVE)).toMatchObject({ outcome: 'unreachable' })
  })

  it('puts the next nearest in the place of a peer that can not be reached (N6)', async () => {
    const net = network({ size: 20 })
    net.peer(0).fails = 'always'
    net.peer(4).fails = 'always'

    expect(acceptedOf(await net.replicas.write(KEY, WRITE, ACTIVE))).toBe(DEFAULT_NUM_REPLICAS)
    expect(net.holders(KEY)).toEqual([1, 2, 3, 5, 6])
  })

  it('puts the next nearest in the place of a peer that fails to store (N6)', async () => {
    const net = network({ size: 20 })
    net.peer(1).fails = 'to store'
    net.peer(5).fails = 'to store'

    expect(acceptedOf(await net.replicas.write(KEY, WRITE, ACTIVE))).toBe(DEFAULT_NUM_REPLICAS)
    expect(net.holders(KEY)).toEqual([0, 2, 3, 4, 6])
    expect(net.ranks('store')).toEqual([0, 1, 2, 3, 4, 5, 6])
  })

  it('takes no longer than the slowest of those that are needed (N6)', async () => {
    const net = network({ size: 20 })
    net.peer(5).hangs = 'always'
    await net.replicas.write(KEY, WRITE, ACTIVE)

    expect(net.holders(KEY)).toEqual(NEAREST)
  })

  it('gives a silent peer its time once, and avoids it then (N8c)', async () => {
    const net = network({ size: 20, requestTimeoutMs: 20 })
    net.peer(2).hangs = 'always'

    await net.replicas.write(KEY, WRITE, ACTIVE)
    expect(net.holders(KEY)).toEqual([0, 1, 3, 4, 5])
    await net.replicas.write(KEY, plainRecord('another', START + 200), ACTIVE)
    expect(net.requests.filter(({ rank }) => rank === 2)).toHaveLength(1)
  })

  it('reaches the nearest peers that others name (N4)', async () => {
    const net = network({ size: 20, known: (rank) => rank === 15 })

    // The one who named them holds it, too, and is not counted.
    expect(acceptedOf(await net.replicas.write(KEY, WRITE, ACTIVE))).toBe(DEFAULT_NUM_REPLICAS)
    expect(net.holders(KEY)).toEqual([...NEAREST, 15])
  })

  it('hears of a later one from any peer that answers, replica or not (N6)', async () => {
    const net = network({ size: 20, known: (rank) => rank === 15 })
    net.peer(15).store.apply(KEY, plainRecord('a later one', START + 101))

    expect(outcomesOf(await net.replicas.write(KEY, WRITE, ACTIVE))).toContain('stale')
  })

  it('is merged with what each replica holds (R6)', async () => {
    const alice = subkeyRecord('alice', 'yes', START + 100)
    const carol = subkeyRecord('carol', 'no', START + 100)
    const net = network({ size: 20 })
    net.peer(0).store.apply(KEY, alice)
    await net.replicas.write(KEY, carol, ACTIVE)

    expect(net.peer(0).store.get(KEY).subkeys.size).toBe(2)
    expect(net.peer(1).store.get(KEY)).toEqual(carol)
  })

  it('asks nobody when it is not wanted from the start (N8a)', async () => {
    const net = network({ size: 20 })
    await net.replicas.write(KEY, WRITE, CANCELLED)

    expect(net.requests).toEqual([])
  })

  it('goes to nobody else when it is no longer wanted, and takes nobody for failed (N8a)', async () => {
    const net = network({ size: 20 })
    const cancellation = { isCancelled: false }
    net.peer(0).fails = 'always'
    const writing = net.replicas.write(KEY, WRITE, cancellation)
    await turns()
    cancellation.isCancelled = true
    await writing

    // No peer replaces the failed one.
    expect(net.ranks('store')).toEqual(NEAREST)
    expect(net.peers.filter((peer) => net.book.isAvoided(peer))).toEqual([net.peer(0)])
  })
})

/** A peer's response to the next write. */
type Stance =
  | 'accepts'
  | 'holds it'
  | 'holds a later one'
  | 'is full'
  | 'is ahead in time'
  | 'lies'
  | 'is busy'
  | 'fails'

const ALL_FAIL: Stance[] = Array.from({ length: 12 }, () => 'fails')
const ALL_BUSY: Stance[] = ALL_FAIL.map(() => 'is busy')
const ALL_LIE: Stance[] = ALL_FAIL.map(() => 'lies')

/** Records that do not beat the write: nothing, another place, an earlier value. */
const LIES = [
  undefined,
  subkeyRecord('of another place', 1, START + 50),
  plainRecord('an earlier one', START + 99),
  WRITE
]

/**
 * Results of `store` by the stances of the nearest peers, when the others accept; or its errors.
 */
const ANSWERS: [answer: boolean | string, outcome: StoreOutcome, stances: Stance[]][] = [
  [true, 'held', []],
  [true, 'held', ['holds it', 'holds it', 'holds it', 'holds it', 'holds it']],
  [true, 'held', ['accepts', 'is full', 'is full', 'is full', 'is full']],
  [
    true,
    'held',
    ['is ahead in time', 'is ahead in time', 'is ahead in time', 'is full', 'accepts']
  ],
  [true, 'held', ['fails', 'fails', 'is full', 'is full', 'is full', 'is full', 'accepts']],
  [true, 'held', ['accepts', 'accepts', 'accepts', 'accepts', 'accepts', 'holds a later one']],
  [true, 'held', ['lies', 'accepts', 'lies']],
  [true, 'held', ['lies', 'lies', 'lies', 'lies', 'lies', 'lies', 'lies', 'lies', 'is full']],
  [false, 'beaten', ['holds a later one']],
  [false, 'beaten', ['lies', 'accepts', 'accepts', 'accepts', 'holds a later one']],
  [false, 'beaten', ['accepts', 'accepts', 'accepts', 'accepts', 'holds a later one']],
  [false, 'beaten', ['fails', 'accepts', 'accepts', 'accepts', 'accepts', 'holds a later one']],
  [false, 'beaten', ['holds a later one', 'is full', 'is full', 'is full', 'is full']],
  ['NotStoredError', 'full', ['is full', 'is full', 'is full', 'is full', 'is full']],
  ['NotStoredError', 'full', ['is full', 'is full', 'is ahead in time', 'is full', 'is full']],
  [
    'NotStoredError',
    'refused',
    [
      'is ahead in time',
      'is ahead in time',
      'is ahead in time',
      'is ahead in time',
      'is ahead in time'
    ]
  ],
  ['NotStoredError', 'full', [...ALL_FAIL.slice(0, 4), ...ALL_BUSY.slice(0, 6), 'is full']],
  ['BusyError', 'busy', [...ALL_FAIL.slice(0, 4), ...ALL_BUSY.slice(0, 8)]],
  ['UnreachableError', 'unreachable', ALL_FAIL],
  ['UnreachableError', 'unreachable', ALL_LIE]
]

describe('Operations.store', () => {
  function takeStance(net: Simulation, rank: number, stance: Stance): void {
    const peer = net.peer(rank)
    const held: Partial<Record<Stance, DHTRecord>> = {
      'holds it': WRITE,
      'holds a later one': plainRecord('a later one', START + 101)
    }

    if (held[stance] !== undefined) {
      peer.store.apply(KEY, held[stance])
    } else if (stance === 'is full') {
      peer.store = new RecordStore({ clock: net.clock, maxRecords: 0 })
    } else if (stance === 'is ahead in time') {
      peer.store = new RecordStore({ clock: manualClock(START + 100) })
    } else if (stance === 'lies') {
      peer.lies = () => LIES[rank % LIES.length]
    } else if (stance === 'fails' || stance === 'is busy') {
      Object.assign(peer, { fails: 'always', isBusy: stance === 'is busy' })
    }
  }

  function amid(stances: readonly Stance[]): Operations {
    const net = network({ size: 12, selfRank: 11, isReplica: () => false })

    for (const [rank, stance] of stances.entries()) {
      takeStance(net, rank, stance)
    }

    return operations(net)
  }

  it.each(ANSWERS)(
    'answers %j when what became of it is "%s", the nearest peers standing so: %j (N6)',
    async (answer, outcome, stances) => {
      const options = { expirationTime: START + 100 }
      const stored = await amid(stances)
        .store('key', 'a value', options)
        .catch((error: Error) => error.name)
      const report = await amid(stances).store('key', 'a value', { ...options, report: true })

      expect(stored).toBe(answer)
      expect(report).toMatchObject({ outcome, expirationTime: START + 100 })
    }
  )

  it('reports what each peer made of it, and what beats it (N6)', async () => {
    const dht = amid(['fails', 'is busy', 'lies', 'is full', 'holds a later one'])
    const report = await dht.store('key', 'a value', { ttl: 100, report: true })
    const outcomes = report.replicas.map(({ outcome }) => outcome)

    expect(report.by).toEqual({ value: 'a later one', expirationTime: START + 101 })
    expect(outcomes.toSorted()).toEqual(
      [
        ...['failed', 'busy', 'failed', 'full', 'beaten'],
        ...['accepted', 'accepted', 'accepted']
      ].toSorted()
    )
  })

  it('reports a deletion that beats it, and the value under the same subkey (N6)', async () => {
    const net = network({ size: 12 })
    const dht = operations(net)
    await dht.store('key', 'yes', { ttl: 90, subkey: ['a', 1] })
    const beaten = await dht.store('key', 'no', { ttl: 80, subkey: ['a', 1], report: true })
    await dht.delete('key', { ttl: 200 })
    const deleted = await dht.store('key', 'no', { ttl: 100, subkey: ['a', 1], report: true })

    expect(beaten).toMatchObject({ outcome: 'beaten', by: { value: 'yes' } })
    expect(deleted).toMatchObject({ outcome: 'beaten', by: 'a deletion' })
  })

  it('rejects with the report when no replica took it (N6)', async () => {
    const dht = amid(['is full', 'is full', 'is full', 'is full', 'is full'])
    const error = await rejection(dht.store('key', 'a value', { ttl: 100 }))

    expect(error).toBeInstanceOf(NotStoredError)
    expect(error).toMatchObject({
      outcome: 'full',
      reports: [
        {
          ...{ outcome: 'full', expirationTime: START + 100 },
          replicas: NEAREST.map(() => ({ outcome: 'full', peer: expect.anything() }))
        }
      ]
    })
  })

  it('answers false, and asks nobody, when the expiration is past (R14)', async () => {
    const net = network({ size: 12 })

    expect(await operations(net).store('key', 1, { expirationTime: START })).toBe(false)
    expect(await operations(net).store('key', 1, { ttl: -5 })).toBe(false)
    expect(net.requests).toEqual([])
  })

  it('sends the deletion of a key to the same peers as the value before it (R9)', async () => {
    const net = network({ size: 12 })
    await operations(net).store('key', 'a value', { expirationTime: START + 100 })

    expect(await operations(net).delete('key', { expirationTime: START + 100 })).toBe(false)
    expect(await operations(net).delete('key', { expirationTime: START + 101 })).toBe(true)
    expect(net.peers.map(({ store }) => view(store.get(KEY), START))).toEqual(
      net.peers.map(() => undefined)
    )
  })

  it('stores many with the lifetime of each, or else the common one', async () => {
    const net = network({ size: 1 })
    const entries = [
      { key: 1, value: 1 },
      { key: 2, value: 2, ttl: 50 },
      { key: 3, value: 3, expirationTime: START + 60 },
      { key: 4, value: 4, ttl: undefined, expirationTime: undefined }
    ]

    expect(await operations(net).storeMany(entries, { ttl: 600 })).toEqual([true, true, true, true])
    expect(
      (await operations(net).getMany([1, 2, 3, 4])).map((found) => found?.expirationTime)
    ).toEqual(
      [START + 600, START + 50, START + 60, START + 600].map((time) => expect.closeTo(time, 3))
    )
  })
})

describe('Operations', () => {
  it('believe a clock that was ahead and has been set right', async () => {
    const net = network({ size: 1 })
    const dht = operations(net)
    net.clock.time = START + 3600
    await dht.store('early', 1, { ttl: 100 })
    net.clock.time = START

    expect(await dht.store('key', 1, { expirationTime: START + 50 })).toBe(true)
    await dht.store('other', 1, { ttl: 100 })
    expect((await dht.get('other'))?.expirationTime).toBeCloseTo(START + 100)
  })
})
