import type { Found } from '@waggle/dht'
import { describe, expect, it } from 'vitest'
import { collected } from '../support/collected.ts'
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
    await scene.pass(200)

    expect(await loop.return()).toEqual({ value: undefined, done: true })
    expect(await pending).toEqual({ value: undefined, done: true })
    expect(await loop.next()).toEqual({ value: undefined, done: true })
    expect(scene.tellers).toEqual([])
  })

  it('ends when it is left', async () => {
    using scene = new WatchScene()
    scene.write([0], value('first'))
    const values: Found[] = []
    const left = (async () => {
      for await (const found of scene.watching()) {
        found && values.push(found)
        break
      }
    })()
    await scene.pass(200)
    await left

    expect(values).toHaveLength(1)
    expect(scene.simulated.watches.size).toBe(0)
  })

  it('throws the reason of its signal, while it waits and between two questions', async () => {
    using scene = new WatchScene()
    const abort = new AbortController()
    const waiting = collected(scene.watching(abort.signal))
    const between = scene.watching(abort.signal)
    scene.write([0], value('first'))
    const first = between.next()
    await scene.pass(200)
    await first
    const reason = new Error('enough')
    abort.abort(reason)

    await expect(waiting.ended).rejects.toBe(reason)
    await expect(between.next()).rejects.toBe(reason)
    expect(await between.next()).toMatchObject({ done: true })
    expect(scene.simulated.watches.size).toBe(0)
  })

  it('does not begin when its signal, or the node, has ended', async () => {
    using scene = new WatchScene()
    const reason = new Error('too late')
    await expect(scene.watching(AbortSignal.abort(reason)).next()).rejects.toBe(reason)
    scene.lifetime.abort(reason)
    await expect(scene.watching().next()).rejects.toBe(reason)

    expect(scene.simulated.watches.size).toBe(0)
  })

  it('that ends while its replicas are asked leaves none that tells', async () => {
    using scene = new WatchScene()
    const loop = scene.watching()
    const pending = loop.next()
    await loop.return()
    await pending
    await scene.pass(1000)

    expect(scene.tellers).toEqual([])
  })
})
