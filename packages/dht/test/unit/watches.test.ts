import { plainRecord, recordKey, subkeyRecord, tombstoneRecord } from '@waggle/record'
import { DEFAULT_LIMITS } from '@waggle/record/replica'

import { TypedEventEmitter } from 'main-event'
import { describe, expect, it, vi } from 'vitest'
import type { DHTEvents } from '../../src/events.ts'
import { LOOK_DELAY_MS, POLL_MS, RENEW_MS } from '../../src/watch/limits.ts'
import { collected } from '../support/collected.ts'
import { START } from '../support/simulated-replicas.ts'
import { KEY, value, WatchScene } from '../support/watch-scene.ts'

describe('what is delivered', () => {
  it('is what is there, joined from all replicas, and then each change', async () => {
    using scene = new WatchScene()
    scene.write([0, 1], value('first'))
    scene.write([3], value('second', 1001))
    const loop = await scene.begun()

    expect(await loop.next()).toEqual({ value: 'second', expirationTime: START + 1001 })
    scene.write([2], value('third', 1002))
    expect(await loop.next()).toEqual({ value: 'third', expirationTime: START + 1002 })
    expect(loop.unread).toBe(0)
  })

  it('is nothing that a stranger stores at a watcher that is no replica (N5a)', async () => {
    using scene = new WatchScene()
    const loop = await scene.begunEmpty()
    scene.net.self.store.apply(KEY, value('pushed'), 'stranger')
    await scene.pass(200)
    expect(loop.unread).toBe(0)
    scene.net.self.store.apply(KEY, value('own', 1001))

    expect(await loop.nextValue()).toBe('own')
  })

  it('is at first that nothing is there, and nothing more as long as nothing is', async () => {
    using scene = new WatchScene()
    const loop = await scene.begunEmpty()
    await scene.pass(2 * RENEW_MS)

    expect(loop.unread).toBe(0)
    scene.write([0], value('first'))
    expect(await loop.nextValue()).toBe('first')
  })

  it('is a change once, however many replicas tell it', async () => {
    using scene = new WatchScene()
    const loop = await scene.begunEmpty()
    scene.write([0, 1, 2, 3, 4], value('once'))
    await scene.pass(RENEW_MS)

    expect(loop.unread).toBe(1)
  })

  it('is what is found further away, if the nearest hold nothing', async () => {
    using scene = new WatchScene()
    scene.write([6], value('far away'))

    expect(await (await scene.begun()).nextValue()).toBe('far away')
  })

  it('is what the fastest replicas hold, if one does not answer for long', async () => {
    using scene = new WatchScene()
    scene.net.peer(1).hangs = 'always'
    scene.write([0], value('first'))
    const loop = collected(scene.watching())
    await scene.pass(50)
    expect(loop.unread).toBe(0)
    await scene.pass(100)

    expect(await loop.nextValue()).toBe('first')
  })

  it('is the dictionary that many write to, in any order of notices', async () => {
    using scene = new WatchScene()
    const loop = await scene.begunEmpty()
    scene.write([0], subkeyRecord('alice', 'yes', START + 600))
    expect(await loop.next()).toMatchObject({ value: new Map([['alice', expect.anything()]]) })
    scene.write([3], subkeyRecord('carol', 'no', START + 700))

    expect(await loop.next()).toEqual({
      value: new Map([
        ['alice', { value: 'yes', expirationTime: START + 600 }],
        ['carol', { value: 'no', expirationTime: START + 700 }]
      ]),
      expirationTime: START + 700
    })
  })

  it('is undefined when a value has expired, to the moment', async () => {
    using scene = new WatchScene()
    scene.write([0], value('short', 10))
    const loop = await scene.begun()
    expect(await loop.nextValue()).toBe('short')
    scene.net.clock.time = START + 9.95
    await vi.advanceTimersByTimeAsync(10_000 - 250)
    expect(loop.unread).toBe(0)
    scene.net.clock.time = START + 10
    await vi.advanceTimersByTimeAsync(50)

    expect(loop.unread).toBe(1)
    expect(await loop.next()).toBeUndefined()
  })

  it('is the dictionary without a subkey that has expired, then what is behind it, then undefined', async () => {
    using scene = new WatchScene()
    scene.write([0], plainRecord('behind', START + 3))
    scene.write([0], subkeyRecord('a', 1, START + 5))
    scene.write([0], subkeyRecord('b', 2, START + 10))
    const loop = await scene.begun()
    expect(await loop.nextValue()).toHaveProperty('size', 2)
    await scene.pass(5000)
    expect(await loop.nextValue()).toEqual(new Map([['b', expect.anything()]]))
    expect(loop.unread).toBe(0)
    await scene.pass(5000)

    expect(await loop.next()).toBeUndefined()
  })

  it('is undefined when a value was deleted, and what is stored after that', async () => {
    using scene = new WatchScene()
    scene.write([0], value('first'))
    const loop = await scene.begun()
    expect(await loop.nextValue()).toBe('first')
    scene.write([0], tombstoneRecord(START + 1001))
    expect(await loop.next()).toBeUndefined()
    scene.write([0], value('second', 1002))
    expect(await loop.nextValue()).toBe('second')
  })

  it('is not what changes nothing that a reader sees', async () => {
    using scene = new WatchScene()
    scene.write([0], subkeyRecord('a', 1, START + 600))
    const loop = await scene.begun()
    expect(await loop.nextValue()).toHaveProperty('size', 1)
    scene.write([0], plainRecord('hidden', START + 500))
    scene.write([0], tombstoneRecord(START + 700, { subkey: 'never there' }))
    await scene.pass(1000)

    expect(loop.unread).toBe(0)
  })

  it('is a later expiration of the same value, if asked for', async () => {
    using scene = new WatchScene()
    scene.write([0], value('same'))
    const loop = await scene.begun({ renewals: true })
    await loop.next()
    scene.write([0], value('same', 2000))

    expect(await loop.next()).toEqual({ value: 'same', expirationTime: START + 2000 })
  })

  it('is the latest alone for a slow reader, and never the same again', async () => {
    using scene = new WatchScene()
    scene.write([0], value('first'))
    const slow = scene.watching()
    const first = slow.next()
    await scene.pass(200)
    expect((await first).value?.current?.value).toBe('first')

    for (let i = 1; i <= 1000; i++) {
      scene.write([i % 5], value(`change ${i}`, 1000 + i))
    }

    expect((await slow.next()).value?.current?.value).toBe('change 1000')
    const next = vi.fn()
    slow.next().then(next, () => {})
    await scene.pass(RENEW_MS)
    expect(next).not.toHaveBeenCalled()
  })

  it('is no more than all replicas together can hold, whatever they tell (N9d)', async () => {
    using scene = new WatchScene()
    const loop = await scene.begunEmpty()
    const subkeyBytes = 200 * 1024

    for (let i = 0; i < 40; i++) {
      const record = subkeyRecord(i, new Uint8Array(subkeyBytes), START + 600 + i)
      scene.simulated.watches.onChange({ key: KEY }, record)
    }

    await scene.pass(1000)
    let last = await loop.nextValue()

    while (loop.unread > 0) {
      last = await loop.nextValue()
    }

    expect(last).toHaveProperty(
      'size',
      Math.floor((5 * DEFAULT_LIMITS.maxRecordBytes) / (subkeyBytes + 100))
    )
  })

  it('is what this node is told to hold itself', async () => {
    using scene = new WatchScene({ selfRank: 0 })
    const loop = await scene.begunEmpty()
    scene.net.self.store.apply(KEY, value('here'))

    expect(await loop.nextValue()).toBe('here')
  })
})

describe('the replicas that tell changes', () => {
  it('are the nearest ones, asked once for all watches of a key, and let go with the last', async () => {
    using scene = new WatchScene()
    const loops = await Promise.all([scene.begun(), scene.begun(), scene.begun()])
    const [first, ...others] = [scene.watching(), scene.watching()]
    const pending = [first?.next(), ...others.map((each) => each.next())]
    await scene.pass(100)

    expect(scene.tellers).toEqual([0, 1, 2, 3, 4])
    expect([...scene.simulated.asked.values()]).toEqual([1, 1, 1, 1, 1])
    expect(scene.simulated.watches.size).toBe(1)

    await Promise.all([...pending, ...loops.map((loop) => loop.next())])
    scene.write([2], value('for all'))
    expect(await Promise.all(loops.map((loop) => loop.nextValue()))).toEqual(
      loops.map(() => 'for all')
    )
    await Promise.all(others.map((each) => each.next()))
    await first?.return?.()
    expect(scene.tellers).toHaveLength(5)
    scene.lifetime.abort()
    expect(scene.tellers).toEqual([])
    expect(scene.simulated.watches.size).toBe(0)
  })

  it('are two that tell at once, and others in no hurry, of which one takes the place of one that is lost', async () => {
    using scene = new WatchScene()
    await scene.begun()
    expect([...scene.simulated.prompt]).toEqual([0, 1])
    scene.net.peer(0).fails = 'always'
    scene.simulated.lose(0)
    await scene.pass(200)

    expect(scene.tellers).toEqual([1, 2, 3, 4, 5])
    expect(scene.tellers.filter((rank) => scene.simulated.prompt.has(rank))).toEqual([1, 5])
  })

  it('are one less where this node is one of them', async () => {
    using scene = new WatchScene({ selfRank: 2 })
    await scene.begun()

    expect(scene.tellers).toEqual([0, 1, 3, 4])
  })

  it('are all five where this node is near, but a client', async () => {
    using scene = new WatchScene({ selfRank: 2, isReplica: () => false })
    await scene.begun()

    expect(scene.tellers).toEqual([0, 1, 3, 4, 5])
  })

  it('are followed to the peer that takes the place of a lost one, whose state is read', async () => {
    using scene = new WatchScene()
    const loop = await scene.begunEmpty()
    scene.net.peer(5).store.apply(KEY, value('written before'))
    scene.net.peer(1).fails = 'always'
    scene.simulated.lose(1)
    await scene.pass(200)

    expect(scene.tellers).toEqual([0, 2, 3, 4, 5])
    expect(await loop.nextValue()).toBe('written before')
    scene.write([5], value('written after', 1001))
    expect(await loop.nextValue()).toBe('written after')
  })

  it('are looked for ever more seldom if they are lost as soon as they are found', async () => {
    using scene = new WatchScene()
    await scene.begun()

    for (let ms = 0; ms < 20_000; ms += 50) {
      scene.simulated.lose(0)
      await scene.pass(50)
    }

    expect(scene.simulated.asked.get(0)).toBeLessThan(12)
    await scene.pass(2 * RENEW_MS)
    expect(scene.tellers).toContain(0)
  })

  it('are asked again every 30 seconds, which finds what was missed', async () => {
    using scene = new WatchScene()
    const loop = await scene.begunEmpty()
    scene.simulated.writeUnheard(3, KEY, value('missed'))
    await scene.pass(RENEW_MS - 2000)
    expect(loop.unread).toBe(0)
    await scene.pass(4000)

    expect(await loop.nextValue()).toBe('missed')
    expect([...scene.simulated.asked.values()]).toEqual([2, 2, 2, 2, 2])
  })

  it('are those that others name as nearer, as soon as they are asked again', async () => {
    using scene = new WatchScene({ known: (rank) => rank >= 3 })
    const loop = await scene.begunEmpty()
    expect(scene.tellers).toEqual([0, 1, 2, 3, 4])
    scene.write([0], value('by a stranger'))

    expect(await loop.nextValue()).toBe('by a stranger')
  })

  it('are none that do not tell: their key is read every 5 seconds', async () => {
    using scene = new WatchScene()
    for (const rank of scene.net.peers.keys()) {
      scene.simulated.mute.add(rank)
    }

    const loop = await scene.begunEmpty()
    expect(scene.tellers).toEqual([])
    scene.write([0, 1, 2, 3, 4], value('polled'))
    await scene.pass(100)
    expect(loop.unread).toBe(0)
    await scene.pass(POLL_MS + 1000)

    expect(await loop.nextValue()).toBe('polled')
  })

  it('are there for each of many keys', async () => {
    using scene = new WatchScene()
    const keys = Array.from({ length: 1000 }, (_, i) => recordKey(`key ${i}`))
    const loops = keys.map((key) => collected(scene.watching({}, key)))
    await scene.pass(500)
    expect(scene.simulated.watches.size).toBe(1000)
    await Promise.all(loops.map((loop) => loop.next()))

    for (const [i, key] of keys.entries()) {
      const [teller = 0] = scene.simulated.tellers(key).slice(i % 4)
      scene.net.peer(teller).store.apply(key, value(`${i}`))
    }

    const delivered = await Promise.all(loops.map((loop) => loop.nextValue()))
    expect(delivered).toEqual(keys.map((_, i) => `${i}`))
    scene.lifetime.abort()
    expect(scene.simulated.watches.size).toBe(0)
  })
})

describe('a peer that comes', () => {
  /** Watches a key, and returns how often peer 0 is asked because another one comes. */
  async function following(scene: WatchScene): Promise<(rank: number) => Promise<number>> {
    const events = new TypedEventEmitter<DHTEvents>()
    await scene.begun()
    scene.simulated.watches.follow(events, scene.lifetime.signal)
    const asked = (): number => scene.simulated.asked.get(0) ?? 0

    return async (rank) => {
      const before = asked()
      events.safeDispatchEvent('peer:found', { detail: scene.net.peer(rank).id })
      await scene.pass(4 * LOOK_DELAY_MS)
      return asked() - before
    }
  }

  it('is looked at when it is nearer than the farthest replica, though not than the nearest', async () => {
    using scene = new WatchScene()
    scene.net.peer(2).fails = 'always'
    const looksFor = await following(scene)
    expect(scene.tellers).toEqual([0, 1, 3, 4, 5])

    expect(await looksFor(6)).toBe(0)
    expect(await looksFor(2)).toBe(1)
  })

  it('is looked at when it is nearer than this node, which is one of them', async () => {
    using scene = new WatchScene({ selfRank: 4 })
    scene.net.peer(2).fails = 'always'
    const looksFor = await following(scene)
    expect(scene.tellers).toEqual([0, 1, 3, 5])

    expect(await looksFor(6)).toBe(0)
    expect(await looksFor(2)).toBe(1)
  })

  it('is not looked at in place of replicas that do not tell', async () => {
    using scene = new WatchScene()
    scene.simulated.mute.add(1)
    scene.simulated.mute.add(2)
    const looksFor = await following(scene)
    expect(scene.tellers).toEqual([0, 3, 4])

    expect(await looksFor(1)).toBe(0)
    expect(await looksFor(5)).toBe(0)
  })

  it('is looked at ever more seldom if it comes again and again', async () => {
    using scene = new WatchScene()
    scene.net.peer(2).fails = 'always'
    const looksFor = await following(scene)
    let looks = 0

    for (let ms = 0; ms < 20_000; ms += 4 * LOOK_DELAY_MS) {
      looks += await looksFor(2)
    }

    expect(looks).toBeGreaterThan(5)
    expect(looks).toBeLessThan(12)
  })
})
