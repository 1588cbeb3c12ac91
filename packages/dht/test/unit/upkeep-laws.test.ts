import { getDHTTime, isEmpty, plainRecord, subkeyRecord } from '@waggle/record'
import { encodedSize } from '@waggle/record/replica'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { IS_LONG } from '../support/effort.ts'
import { type KeepingPeer, KeptNetwork, keyNumber } from '../support/simulated-upkeep.ts'

const VALUE_BYTES = 100

/** A network of `base` peers that others join in batches. */
const GROWTH = IS_LONG
  ? { base: 200, batches: [1, 199, 800], records: 10_000 }
  : { base: 50, batches: [1, 49, 200], records: 1_500 }

/** Counts the pairs of a record and a peer that should hold it and does not. */
function lacking(net: KeptNetwork, records: number): number {
  return net
    .ownership(records)
    .flatMap((owners, n) => owners.filter(({ store }) => isEmpty(store.get(keyNumber(n))))).length
}

/** Milliseconds after which all peers have heard of another one. */
const SETTLING_MS = 1100

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** Lets a moment pass without newcomers. */
function settle(): void {
  vi.advanceTimersByTime(SETTLING_MS)
}

describe('Upkeep of a large network', () => {
  it('moves no more than twice what new owners must hold, as five times as many join', {
    timeout: 300_000
  }, async () => {
    const { base, batches, records } = GROWTH
    const net = new KeptNetwork()
    net.join(base)
    const expirationTime = getDHTTime() + 3600
    net.fill(records, VALUE_BYTES, expirationTime)
    await net.keep()
    settle()
    expect(net.movedRecords).toBe(0)

    for (const count of batches) {
      settle()
      net.join(count)
      await net.keep()
      expect(lacking(net, records), `after ${net.peers.length} peers`).toBe(0)
    }

    await net.audit()
    const newcomers = new Set(net.peers.slice(base))
    const newOwned = net
      .ownership(records)
      .flat()
      .filter((owner) => newcomers.has(owner))
    const mustHold =
      newOwned.length * encodedSize(plainRecord(new Uint8Array(VALUE_BYTES), expirationTime))
    expect(newOwned.length).toBeGreaterThan(2 * records)
    expect(net.movedBytes / mustHold).toBeLessThan(2)
  })

  it('has each record at all nearest again after any departures, if one holder stays', async () => {
    const records = 500
    const net = new KeptNetwork()
    net.join(20)
    net.fill(records, VALUE_BYTES, getDHTTime() + 3600)
    await net.keep()

    for (let round = 0; round < 3; round++) {
      const owners = net.ownership(records)
      const dying = net.alive().filter((_, i) => i % 4 === round)

      for (const peer of dying) {
        peer.isAlive = false
      }

      settle()
      net.join(dying.length)
      await net.keep()
      const survivors = owners.filter((nearest) => nearest.some(({ isAlive }) => isAlive))
      expect(survivors.length).toBe(records)
      expect(lacking(net, records), `in round ${round}`).toBe(0)
    }
  })

  it('goes on where a peer that handed over died before it had done so', async () => {
    const records = 300
    const net = new KeptNetwork()
    net.join(8)
    net.fill(records, VALUE_BYTES, getDHTTime() + 3600)
    await net.keep()
    settle()
    const [newcomer] = net.join(1)
    // All of them take it in, and leave some of the work to a peer that does not do it any more.
    const [dead, ...others] = net.peers.slice(0, 8)
    await net.keep(others)
    expect(lacking(net, records)).toBeGreaterThan(0)

    if (dead !== undefined) {
      dead.isAlive = false
    }

    await net.keep()
    expect(newcomer?.store.records).toBeGreaterThan(0)
    expect(lacking(net, records)).toBe(0)
  })

  it('gives all to a peer that comes back with nothing, and nothing to one that kept it', async () => {
    const records = 300
    const net = new KeptNetwork()
    net.join(8)
    net.fill(records, VALUE_BYTES, getDHTTime() + 3600)
    await net.keep()
    settle()

    for (const peer of net.peers) {
      peer.sinceMs = performance.now()
    }

    await net.keep()
    expect(net.movedRecords).toBe(0)

    const [forgetful, ...others] = net.peers
    settle()
    net.restart(0)
    await net.keep(others)
    expect(lacking(net, records)).toBe(0)
    expect(net.movedRecords).toBe(forgetful?.store.records)
  })

  it('brings what a writer has left too far away to those that are nearest', async () => {
    const net = new KeptNetwork()
    net.join(12)
    await net.keep()
    settle()
    const owners = net.ownership(1)[0] ?? []
    const farOne = net.peers.find((peer) => !owners.includes(peer))
    farOne?.store.apply(keyNumber(0), plainRecord('left here', getDHTTime() + 3600))
    await net.keep()
    expect(lacking(net, 1)).toBe(0)
    expect(net.movedRecords).toBe(owners.length)

    await net.keep()
    expect(net.movedRecords).toBe(owners.length)
  })
})

/** Returns all pairs in an order unrelated to their ids, the same in every run. */
function shuffledPairs(
  observers: readonly KeepingPeer[],
  observed: readonly KeepingPeer[]
): (readonly [KeepingPeer, KeepingPeer])[] {
  const pairs = observers.flatMap((one) => observed.map((other) => [one, other] as const))
  return pairs
    .filter(([one, other]) => one !== other)
    .map((pair, i) => ({ pair, place: (i * 7919) % 1009 }))
    .sort((a, b) => a.place - b.place)
    .map(({ pair }) => pair)
}

describe('Upkeep of peers that joined at once', () => {
  const RECORDS = 300
  const ROUNDS = 5

  /**
   * Makes a network whose newcomers get to know the others, and each other, gradually during upkeep.
   */
  async function grownTogetherSlowly(): Promise<KeptNetwork> {
    const net = new KeptNetwork()
    net.join(6)
    net.fill(RECORDS, VALUE_BYTES, getDHTTime() + 3600)
    await net.keep()
    await net.audit()
    vi.advanceTimersByTime(2000)
    const newcomers = net.join(10)
    const pairs = shuffledPairs(net.peers.slice(1), newcomers)

    for (const [one, other] of pairs) {
      net.estrange(one, other)
    }

    for (let round = 0; round < ROUNDS; round++) {
      for (const [one, other] of pairs.filter((_, i) => i % ROUNDS === round)) {
        net.introduce(one, other)
      }

      await net.keep()
      vi.advanceTimersByTime(2000)
    }

    return net
  }

  it('has each record where it belongs though each left some to others who knew the newcomer later (N7)', async () => {
    const net = await grownTogetherSlowly()
    // Some hand-overs were omitted. Otherwise this test would prove nothing.
    expect(lacking(net, RECORDS)).toBeGreaterThan(0)

    await net.audit()
    expect(lacking(net, RECORDS)).toBe(0)
  })

  it('sends nothing that is there already (N7)', async () => {
    const net = await grownTogetherSlowly()
    await net.audit()
    const { movedRecords } = net
    await net.audit()
    await net.audit()

    expect(net.movedRecords).toBe(movedRecords)
  })

  it('brings a newcomer the rest of a dictionary of which it was only told one place (N7)', async () => {
    const net = new KeptNetwork()
    const [, , newcomer] = net.join(3)
    const key = keyNumber(0)
    const expirationTime = getDHTTime() + 3600

    for (const { store } of net.peers.slice(0, 2)) {
      store.apply(key, subkeyRecord('a', 1, expirationTime))
    }

    for (const { store } of net.peers) {
      store.apply(key, subkeyRecord('b', 2, expirationTime))
    }

    await net.audit()
    expect(newcomer?.store.get(key).subkeys.size).toBe(2)
  })
})
