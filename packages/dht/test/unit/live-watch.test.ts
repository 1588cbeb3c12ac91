import type { Found } from '@waggle/dht'
import { plainRecord, subkeyRecord, tombstoneRecord } from '@waggle/record'
import { describe, expect, it, vi } from 'vitest'
import { LiveWatch } from '../../src/live/live-watch.ts'
import { collected } from '../support/collected.ts'
import { START } from '../support/simulated-replicas.ts'
import { value, WatchScene } from '../support/watch-scene.ts'

describe('a loop', () => {
  it('asks nobody before its first question', async () => {
    using scene = new WatchScene()
    scene.watching()
    await scene.pass(1000)

    expect(scene.simulated.asked.size).toBe(0)
  })

  it('ends for good by return, with what is awaited', async () => {
    using scene = new WatchScene()
    const loop = scene.watching()
    const pending = loop.next()
    expect(await loop.return?.()).toEqual({ value: undefined, done: true })

    expect(await pending).toEqual({ value: undefined, done: true })
    expect(await loop.next()).toEqual({ value: undefined, done: true })
    await scene.pass(1000)
    expect(scene.tellers).toEqual([])
  })

  it('ends when it is left', async () => {
    using scene = new WatchScene()
    scene.write([0], value('first'))
    let events = 0
    const left = (async () => {
      for await (const { current } of scene.watching()) {
        expect(current?.value).toBe('first')
        events++
        break
      }
    })()
    await scene.pass(200)
    await left

    expect(events).toBe(1)
    expect(scene.simulated.watches.size).toBe(0)
  })

  it.each<[string, (abort: AbortController, scene: WatchScene) => void]>([
    ['its signal is aborted', (abort) => abort.abort(new Error('enough'))],
    ['the node stops', (_, scene) => scene.lifetime.abort(new Error('over'))]
  ])('ends without throwing when %s, while it waits and between two questions', async (_, end) => {
    using scene = new WatchScene()
    const abort = new AbortController()
    const waiting = collected(scene.watching({ signal: abort.signal }))
    const between = scene.watching({ signal: abort.signal })
    scene.write([0], value('first'))
    const first = between.next()
    await scene.pass(200)
    await first
    end(abort, scene)
    await waiting.ended

    expect(await between.next()).toEqual({ value: undefined, done: true })
    expect(await scene.watching({ signal: abort.signal }).next()).toMatchObject({ done: true })
    expect(scene.simulated.watches.size).toBe(0)
  })

  it('ends by stop(), as by leaving a block that owns it', async () => {
    using scene = new WatchScene()
    const loops = [scene.watching(), scene.watching()] as const
    const ended = loops.map((loop) => collected(loop).ended)
    await loops[0].stop()
    await loops[1][Symbol.asyncDispose]()
    await Promise.all(ended)

    expect(scene.simulated.watches.size).toBe(0)
  })

  it('ends when it is stopped by what it hears as it begins', async () => {
    using scene = new WatchScene({ selfRank: 7, isReplica: () => false })
    scene.net.peers.forEach((peer) => {
      peer.fails = 'always'
    })
    const other = scene.watching()
    const ended = collected(other).ended
    await scene.pass(200)
    const watch: ReturnType<typeof scene.watching> = scene.watching({
      onProgress: () => void watch.stop()
    })

    expect(await watch.next()).toEqual({ value: undefined, done: true })
    await other.stop()
    await ended
    expect(scene.simulated.watches.size).toBe(0)
  })

  it('ends when its signal was aborted while nobody followed it', async () => {
    const abort = new AbortController()
    const state = Promise.withResolvers<undefined>()
    const watch = new LiveWatch({
      source: { open: () => ({ read: () => state.promise, close: () => {} }) },
      clock: () => START,
      signal: abort.signal,
      lifetime: new AbortController().signal
    })
    watch.subscribe(() => {})()
    const next = watch.next()
    abort.abort()
    state.resolve(undefined)

    expect(await next).toEqual({ value: undefined, done: true })
  })

  it('is not held up by another one whose listener of progress throws', async () => {
    const uncaught = vi.spyOn(globalThis, 'queueMicrotask')
    uncaught.mockImplementation((report) => expect(report).toThrow('broken'))
    using scene = new WatchScene({ selfRank: 7, isReplica: () => false })
    scene.net.peers.forEach((peer) => {
      peer.fails = 'always'
    })
    const broken = vi.fn(() => {
      throw new Error('broken')
    })
    const hear = vi.fn()
    const watches = [broken, hear].map((onProgress) => scene.watching({ onProgress }))
    const ended = watches.map((watch) => collected(watch).ended)
    await scene.pass(200)
    scene.lifetime.abort()
    await Promise.all(ended)

    expect([broken, hear].map(({ mock }) => mock.calls.length)).toEqual([1, 1])
    expect(uncaught).toHaveBeenCalledTimes(1)
    uncaught.mockRestore()
  })

  it('hears nothing while nobody answers, and then that nothing is there', async () => {
    using scene = new WatchScene({ selfRank: 7, isReplica: () => false })
    const failing = [...scene.net.peers]
    failing.forEach((peer) => {
      peer.fails = 'always'
    })
    const loop = await scene.begun()
    await scene.pass(6000)
    expect(loop.unread).toBe(0)
    failing.forEach((peer) => {
      peer.fails = 'never'
    })
    await scene.pass(60_000)

    expect(await loop.next()).toBeUndefined()
  })
})

describe('changes', () => {
  it('are what is new, what is another value, and what is gone, and why', async () => {
    using scene = new WatchScene()
    const loop = scene.watching()
    const next = async (): Promise<unknown> => {
      const event = loop.next()
      await scene.pass(200)
      return (await event).value?.changes
    }
    expect(await next()).toEqual([])
    scene.write([0], subkeyRecord('a', 1, START + 100))
    const first = { value: 1, expirationTime: START + 100 }
    expect(await next()).toEqual([{ type: 'added', subkey: 'a', found: first }])

    scene.write([0], subkeyRecord('a', 2, START + 200))
    const second = { value: 2, expirationTime: START + 200 }
    expect(await next()).toEqual([{ type: 'changed', subkey: 'a', found: second, before: first }])

    scene.write([0], tombstoneRecord(START + 300, { subkey: 'a' }))
    scene.write([0], subkeyRecord(['b'], null, START + 10))
    const third = { value: null, expirationTime: START + 10 }
    expect(await next()).toEqual([
      { type: 'removed', subkey: 'a', before: second, reason: 'deleted' },
      { type: 'added', subkey: ['b'], found: third }
    ])

    const gone = loop.next()
    await scene.pass(10_000)
    expect((await gone).value).toEqual({
      current: undefined,
      changes: [{ type: 'removed', subkey: ['b'], before: third, reason: 'expired' }]
    })
  })

  it('are against what the loop was given last, whatever it has skipped', async () => {
    using scene = new WatchScene()
    scene.write([0], subkeyRecord('stays', 1, START + 1000))
    scene.write([0], subkeyRecord('goes', 1, START + 1000))
    const loop = scene.watching()
    const first = loop.next()
    await scene.pass(200)
    expect((await first).value?.changes).toHaveLength(2)

    scene.write([0], subkeyRecord('came and went', 1, START + 1000))
    scene.write([0], tombstoneRecord(START + 2000, { subkey: 'came and went' }))
    scene.write([0], subkeyRecord('stays', 2, START + 1001))
    scene.write([0], subkeyRecord('stays', 3, START + 1002))
    scene.write([0], tombstoneRecord(START + 2000, { subkey: 'goes' }))
    await scene.pass(200)

    expect((await loop.next()).value?.changes).toEqual([
      { type: 'removed', subkey: 'goes', before: expect.anything(), reason: 'deleted' },
      {
        type: 'changed',
        subkey: 'stays',
        before: { value: 1, expirationTime: START + 1000 },
        found: { value: 3, expirationTime: START + 1002 }
      }
    ])
  })

  it('are renewals only on request, and are deletions, not expiries, after a renewal', async () => {
    using scene = new WatchScene()
    scene.write([0], value('same', 10))
    const plain = collected(scene.watching())
    const renewals = scene.watching({ renewals: true })
    const first = renewals.next()
    await scene.pass(200)
    await first
    scene.write([0], value('same', 100))
    await scene.pass(200)
    const before = { value: 'same', expirationTime: START + 10 }
    const found = { value: 'same', expirationTime: START + 100 }
    expect((await renewals.next()).value?.changes).toEqual([
      { type: 'renewed', subkey: undefined, found, before }
    ])
    expect(plain.unread).toBe(1)

    await scene.pass(20_000)
    expect(plain.unread).toBe(1)
    scene.write([0], tombstoneRecord(START + 200))
    await scene.pass(200)
    expect(plain.unread).toBe(2)
    expect((await renewals.next()).value?.changes).toMatchObject([{ reason: 'deleted' }])
  })

  it('give one deleted before its renewed end as deleted, to a loop that was told of no renewal', async () => {
    using scene = new WatchScene()
    scene.write([0], value('same', 10))
    const watch = scene.watching()
    const events: unknown[] = []
    void (async () => {
      for await (const { changes } of watch) {
        events.push(...changes)
      }
    })()
    await scene.pass(200)
    scene.write([0], value('same', 100))
    await scene.pass(20_000)
    scene.write([0], tombstoneRecord(START + 200))
    await scene.pass(200)

    expect(events).toMatchObject([{ type: 'added' }, { type: 'removed', reason: 'deleted' }])
  })
})

describe('a subscription', () => {
  it('hears each event, the first one also if nothing is there, until it is ended', async () => {
    using scene = new WatchScene()
    const watch = scene.watching()
    const hear = vi.fn()
    const unsubscribe = watch.subscribe(hear)
    expect(watch.current).toBeUndefined()
    await scene.pass(200)
    expect(hear.mock.calls).toEqual([[{ current: undefined, changes: [] }]])
    scene.write([0], value('first'))
    await scene.pass(200)
    expect(hear).toHaveBeenCalledTimes(2)
    expect(watch.current?.value).toBe('first')
    unsubscribe()
    expect(scene.simulated.watches.size).toBe(0)
    scene.write([0], value('second', 2000))
    await scene.pass(200)

    expect(hear).toHaveBeenCalledTimes(2)
    expect(watch.current?.value).toBe('first')
  })

  it('hears a change that came while the state could not be read', async () => {
    type Reading = { current: undefined; places: ReadonlyMap<string, never> }
    const [failed, whole] = [
      Promise.withResolvers<Reading>(),
      Promise.withResolvers<Reading>()
    ] as const
    const reads = [failed.promise, whole.promise]
    let onChange = (): void => {}
    const watch = new LiveWatch({
      source: {
        open: (listener) => {
          onChange = listener.onChange
          return { read: () => reads.shift(), close: () => {} }
        }
      },
      clock: () => START,
      lifetime: new AbortController().signal
    })
    const hear = vi.fn()
    watch.subscribe(hear)
    onChange()
    failed.reject(new Error('a validator failed'))
    whole.resolve({ current: undefined, places: new Map<string, never>() })

    await vi.waitFor(() => expect(hear).toHaveBeenCalledTimes(1))
  })

  it('can follow one that ended, as components do that React mounts twice', async () => {
    using scene = new WatchScene()
    const watch = scene.watching()
    watch.subscribe(() => {})()
    const hear = vi.fn()
    watch.subscribe(hear)
    scene.write([0], value('first'))
    await scene.pass(200)

    expect(hear).toHaveBeenCalled()
    expect(watch.current?.value).toBe('first')
  })

  it('has the same snapshot until something changes, of which the same parts stay the same objects', async () => {
    using scene = new WatchScene()
    scene.write([0], subkeyRecord('a', { n: 1 }, START + 100))
    scene.write([0], subkeyRecord('b', { n: 1 }, START + 100))
    const watch = scene.watching()
    const entryOf = (subkey: string): Found<unknown> | undefined =>
      watch.current?.value instanceof Map ? watch.current.value.get(subkey) : undefined
    watch.subscribe(() => {})
    await scene.pass(200)
    const before = { current: watch.current, a: entryOf('a'), b: entryOf('b') }
    expect(before.a?.value).toEqual({ n: 1 })
    scene.write([0], subkeyRecord('a', { n: 1 }, START + 200))
    scene.write([1], plainRecord('behind', START + 50))
    await scene.pass(200)
    expect(watch.current).toBe(before.current)
    scene.write([0], subkeyRecord('c', { n: 1 }, START + 100))
    await scene.pass(200)

    expect(watch.current).not.toBe(before.current)
    expect(entryOf('a')).toEqual({ value: { n: 1 }, expirationTime: START + 200 })
    expect(entryOf('a')?.value).toBe(before.a?.value)
    expect(entryOf('b')).toBe(before.b)
  })

  it('goes on when the loop is left, and ends with the watch', async () => {
    using scene = new WatchScene()
    const watch = scene.watching()
    const hear = vi.fn()
    watch.subscribe(hear)
    await watch.return?.()
    scene.write([0], value('first'))
    await scene.pass(200)
    expect(hear).toHaveBeenCalled()
    await watch.stop()
    watch.subscribe(hear)

    expect(scene.simulated.watches.size).toBe(0)
  })

  it('is for functions only', () => {
    using scene = new WatchScene()
    expect(() => scene.watching().subscribe(undefined as never)).toThrow(
      /the listener must be a function/
    )
  })
})
