import type { Found } from '@waggle/dht'
import { type DHTRecord, plainRecord, recordKey, subkeyRecord, tombstoneRecord } from '@waggle/record'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { POLL_MS, RENEW_MS } from '../../src/watch/limits.ts'
import type { Watching } from '../../src/watch/watching.ts'
import { type Collected, collected } from '../support/collected.ts'
import { Simulation, type SimulationOptions, START } from '../support/simulated-replicas.ts'
import { SimulatedWatches } from '../support/simulated-watches.ts'

const KEY = recordKey('key')

let net: Simulation
let simulated: SimulatedWatches
let lifetime: AbortController

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance']
  })
  simulate({ size: 8 })
})

afterEach(() => {
  lifetime.abort()
  vi.useRealTimers()
})

function simulate(options: SimulationOptions): void {
  net = new Simulation(KEY, options)
  simulated = new SimulatedWatches(net)
  lifetime = new AbortController()
}

function watching(signal?: AbortSignal): Watching {
  return simulated.watches.watching(KEY, { signal, lifetime: lifetime.signal })
}

/** Watches, and waits until the replicas do, too. */
async function begun(): Promise<Collected> {
  const loop = collected(watching())
  await pass(200)
  return loop
}

/** Lets time pass, for the clock as for the timers, and all happen that is due by then. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 50) {
    net.clock.time += Math.min(left, 50) / 1000
    await vi.advanceTimersByTimeAsync(Math.min(left, 50))
  }
}

function write(ranks: readonly number[], record: DHTRecord): void {
  for (const rank of ranks) {
    net.peer(rank).store.apply(KEY, record)
  }
}

function value(of: string, seconds = 1000): DHTRecord {
  return plainRecord(of, START + seconds)
}

describe('what is delivered', () => {
  it('is what is there, joined from all replicas, and then each change', async () => {
    write([0, 1], value('first'))
    write([3], value('second', 1001))
    const loop = await begun()

    expect(await loop.next()).toEqual({ value: 'second', expirationTime: START + 1001 })
    write([2], value('third', 1002))
    expect(await loop.next()).toEqual({ value: 'third', expirationTime: START + 1002 })
    expect(loop.unread).toBe(0)
  })

  it('is nothing as long as nothing is there', async () => {
    const loop = await begun()
    await pass(2 * RENEW_MS)

    expect(loop.unread).toBe(0)
    write([0], value('first'))
    expect(await loop.nextValue()).toBe('first')
  })

  it('is a change once, however many replicas tell it', async () => {
    const loop = await begun()
    write([0, 1, 2, 3, 4], value('once'))
    await pass(RENEW_MS)

    expect(loop.unread).toBe(1)
  })

  it('is what is found further away, if the nearest hold nothing', async () => {
    write([6], value('far away'))

    expect(await (await begun()).nextValue()).toBe('far away')
  })

  it('is what the fastest replicas hold, if one does not answer for long', async () => {
    net.peer(1).hangs = 'always'
    write([0], value('first'))
    const loop = collected(watching())
    await pass(50)
    expect(loop.unread).toBe(0)
    await pass(100)

    expect(await loop.nextValue()).toBe('first')
  })

  it('is the dictionary that many write to, whoever tells of what', async () => {
    const loop = await begun()
    write([0], subkeyRecord('alice', 'yes', START + 600))
    expect(await loop.next()).toMatchObject({ value: new Map([['alice', expect.anything()]]) })
    write([3], subkeyRecord('carol', 'no', START + 700))

    expect(await loop.next()).toEqual({
      value: new Map([
        ['alice', { value: 'yes', expirationTime: START + 600 }],
        ['carol', { value: 'no', expirationTime: START + 700 }]
      ]),
      expirationTime: START + 700
    })
  })

  it('is undefined when a value has expired, to the moment', async () => {
    write([0], value('short', 10))
    const loop = await begun()
    expect(await loop.nextValue()).toBe('short')
    net.clock.time = START + 9.95
    await vi.advanceTimersByTimeAsync(10_000 - 250)
    expect(loop.unread).toBe(0)
    net.clock.time = START + 10
    await vi.advanceTimersByTimeAsync(50)

    expect(loop.unread).toBe(1)
    expect(await loop.next()).toBeUndefined()
  })

  it('is the dictionary without a subkey that has expired, then what is behind it, then undefined', async () => {
    write([0], plainRecord('behind', START + 3))
    write([0], subkeyRecord('a', 1, START + 5))
    write([0], subkeyRecord('b', 2, START + 10))
    const loop = await begun()
    expect(await loop.nextValue()).toHaveProperty('size', 2)
    await pass(5000)
    expect(await loop.nextValue()).toEqual(new Map([['b', expect.anything()]]))
    expect(loop.unread).toBe(0)
    await pass(5000)

    expect(await loop.next()).toBeUndefined()
  })

  it('is undefined when a value was deleted, and what is stored after that', async () => {
    write([0], value('first'))
    const loop = await begun()
    expect(await loop.nextValue()).toBe('first')
    write([0], tombstoneRecord(START + 1001))
    expect(await loop.next()).toBeUndefined()
    write([0], value('second', 1002))
    expect(await loop.nextValue()).toBe('second')
  })

  it('is not what changes nothing that a reader sees', async () => {
    write([0], subkeyRecord('a', 1, START + 600))
    const loop = await begun()
    expect(await loop.nextValue()).toHaveProperty('size', 1)
    write([0], plainRecord('hidden', START + 500))
    write([0], tombstoneRecord(START + 700, { subkey: 'never there' }))
    await pass(1000)

    expect(loop.unread).toBe(0)
  })

  it('is a later expiration of the same value', async () => {
    write([0], value('same'))
    const loop = await begun()
    await loop.next()
    write([0], value('same', 2000))

    expect(await loop.next()).toEqual({ value: 'same', expirationTime: START + 2000 })
  })

  it('is the latest alone for who is slow, and never the same again', async () => {
    write([0], value('first'))
    const slow = watching()
    const first = slow.next()
    await pass(200)
    expect((await first).value?.value).toBe('first')

    for (let i = 1; i <= 1000; i++) {
      write([i % 5], value(`change ${i}`, 1000 + i))
    }

    expect((await slow.next()).value?.value).toBe('change 1000')
    const next = vi.fn()
    slow.next().then(next, () => {})
    await pass(RENEW_MS)
    expect(next).not.toHaveBeenCalled()
  })

  it('is what this node is told to hold itself', async () => {
    simulate({ size: 8, selfRank: 0 })
    const loop = await begun()
    net.self.store.apply(KEY, value('here'))

    expect(await loop.nextValue()).toBe('here')
  })
})

describe('the replicas that tell changes', () => {
  it('are the nearest ones, asked once for all who watch a key, and let go with the last', async () => {
    const loops = await Promise.all([begun(), begun(), begun()])
    const [first, ...others] = [watching(), watching()]
    const pending = [first?.next(), ...others.map((each) => each.next())]
    await pass(100)

    expect(simulated.tellers(KEY)).toEqual([0, 1, 2, 3, 4])
    expect([...simulated.asked.values()]).toEqual([1, 1, 1, 1, 1])
    expect(simulated.watches.size).toBe(1)

    write([2], value('for all'))
    expect(await Promise.all(loops.map((loop) => loop.nextValue()))).toEqual(
      loops.map(() => 'for all')
    )
    await Promise.all(pending)
    await first?.return()
    expect(simulated.tellers(KEY)).toHaveLength(5)
    lifetime.abort(new Error('over'))
    expect(simulated.tellers(KEY)).toEqual([])
    expect(simulated.watches.size).toBe(0)
  })

  it('are one less where this node is one of them', async () => {
    simulate({ size: 8, selfRank: 2 })
    await begun()

    expect(simulated.tellers(KEY)).toEqual([0, 1, 3, 4])
  })

  it('are all five where this node is near, but a client', async () => {
    simulate({ size: 8, selfRank: 2, isReplica: () => false })
    await begun()

    expect(simulated.tellers(KEY)).toEqual([0, 1, 3, 4, 5])
  })

  it('are followed to who takes the place of one that is lost, whose state is read', async () => {
    const loop = await begun()
    net.peer(5).store.apply(KEY, value('written before'))
    net.peer(1).fails = 'always'
    simulated.lose(1)
    await pass(200)

    expect(simulated.tellers(KEY)).toEqual([0, 2, 3, 4, 5])
    expect(await loop.nextValue()).toBe('written before')
    write([5], value('written after', 1001))
    expect(await loop.nextValue()).toBe('written after')
  })

  it('are looked for ever more seldom if they are lost as soon as they are found', async () => {
    await begun()

    for (let ms = 0; ms < 20_000; ms += 50) {
      simulated.lose(0)
      await pass(50)
    }

    expect(simulated.asked.get(0)).toBeLessThan(12)
    await pass(2 * RENEW_MS)
    expect(simulated.tellers(KEY)).toContain(0)
  })

  it('are asked again every 30 seconds, which finds what was missed', async () => {
    const loop = await begun()
    simulated.writeUnheard(3, KEY, value('missed'))
    await pass(RENEW_MS - 2000)
    expect(loop.unread).toBe(0)
    await pass(4000)

    expect(await loop.nextValue()).toBe('missed')
    expect([...simulated.asked.values()]).toEqual([2, 2, 2, 2, 2])
  })

  it('are those that others name as nearer, as soon as they are asked again', async () => {
    simulate({ size: 8, known: (rank) => rank >= 3 })
    const loop = await begun()
    expect(simulated.tellers(KEY)).toEqual([0, 1, 2, 3, 4])
    write([0], value('by a stranger'))

    expect(await loop.nextValue()).toBe('by a stranger')
  })

  it('are none that do not tell: their key is read every 5 seconds', async () => {
    for (const rank of net.peers.keys()) {
      simulated.mute.add(rank)
    }

    const loop = await begun()
    expect(simulated.tellers(KEY)).toEqual([])
    write([0, 1, 2, 3, 4], value('polled'))
    await pass(100)
    expect(loop.unread).toBe(0)
    await pass(POLL_MS + 1000)

    expect(await loop.nextValue()).toBe('polled')
  })

  it('are there for each of many keys', async () => {
    const keys = Array.from({ length: 1000 }, (_, i) => recordKey(`key ${i}`))
    const loops = keys.map((key) =>
      collected(simulated.watches.watching(key, { signal: undefined, lifetime: lifetime.signal }))
    )
    await pass(500)
    expect(simulated.watches.size).toBe(1000)

    for (const [i, key] of keys.entries()) {
      const [teller = 0] = simulated.tellers(key).slice(i % 4)
      net.peer(teller).store.apply(key, value(`${i}`))
    }

    const delivered = await Promise.all(loops.map((loop) => loop.nextValue()))
    expect(delivered).toEqual(keys.map((_, i) => `${i}`))
    lifetime.abort()
    expect(simulated.watches.size).toBe(0)
  })
})

describe('a loop', () => {
  it('asks nobody before its first question', async () => {
    watching()
    await pass(1000)

    expect(simulated.asked.size).toBe(0)
  })

  it('ends for good by return, with what is awaited', async () => {
    const loop = watching()
    const pending = loop.next()
    await pass(200)

    expect(await loop.return()).toEqual({ value: undefined, done: true })
    expect(await pending).toEqual({ value: undefined, done: true })
    expect(await loop.next()).toEqual({ value: undefined, done: true })
    expect(simulated.tellers(KEY)).toEqual([])
  })

  it('ends when it is left', async () => {
    write([0], value('first'))
    const values: Found[] = []
    const left = (async () => {
      for await (const found of watching()) {
        found && values.push(found)
        break
      }
    })()
    await pass(200)
    await left

    expect(values).toHaveLength(1)
    expect(simulated.watches.size).toBe(0)
  })

  it('throws the reason of its signal, while it waits and between two questions', async () => {
    const abort = new AbortController()
    const waiting = collected(watching(abort.signal))
    const between = watching(abort.signal)
    write([0], value('first'))
    const first = between.next()
    await pass(200)
    await first
    const reason = new Error('enough')
    abort.abort(reason)

    await expect(waiting.ended).rejects.toBe(reason)
    await expect(between.next()).rejects.toBe(reason)
    expect(await between.next()).toMatchObject({ done: true })
    expect(simulated.watches.size).toBe(0)
  })

  it('does not begin when its signal, or the node, has ended', async () => {
    const reason = new Error('too late')
    await expect(watching(AbortSignal.abort(reason)).next()).rejects.toBe(reason)
    lifetime.abort(reason)
    await expect(watching().next()).rejects.toBe(reason)

    expect(simulated.watches.size).toBe(0)
  })

  it('that ends while its replicas are asked leaves none that tells', async () => {
    const loop = watching()
    const pending = loop.next()
    await loop.return()
    await pending
    await pass(1000)

    expect(simulated.tellers(KEY)).toEqual([])
  })
})
