import { plainRecord, recordKey } from '@waggle/record'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { DEFAULT_CALL_TIMEOUT_MS } from '../../src/constants.ts'
import { handlesOf } from '../../src/handles/handles.ts'
import type { Operations } from '../../src/operations/operations.ts'
import type { Publication, PublicationState } from '../../src/operations/publication.ts'
import { MAX_RENEWAL_INTERVAL, Publications } from '../../src/operations/publications.ts'
import { sealedView } from '../../src/sealed/sealed-view.ts'
import { law } from '../support/effort.ts'
import { turns } from '../support/end-of-turn.ts'
import { operations } from '../support/simulated-operations.ts'
import { Simulation, START } from '../support/simulated-replicas.ts'

const KEY = recordKey('key')

/** A client of six peers, and its publications. */
class Scene {
  readonly net: Simulation = new Simulation(KEY, { size: 6, isReplica: () => false })
  readonly publications: Publications = new Publications(this.net.clock)
  readonly dht: Operations = operations(this.net, { publications: this.publications })

  setFailing(isFailing: boolean): void {
    for (const peer of this.net.peers) {
      peer.fails = isFailing ? 'always' : 'never'
    }
  }

  /** Lets time pass in small steps. */
  async pass(seconds: number): Promise<void> {
    for (const end = this.net.clock.time + seconds; this.net.clock.time < end; ) {
      this.net.clock.time = Math.min(end, this.net.clock.time + 0.25)
      await this.publications.runDue()
    }
  }

  /** Returns the times of all writes, in seconds from the start. */
  async timesOfWrites(during: () => Promise<void>): Promise<number[]> {
    const times = new Set<number>()
    const store = vi.spyOn(this.net, 'store').mockImplementation(async (peer, ...rest) => {
      times.add(this.net.clock.time - START)
      return Simulation.prototype.store.call(this.net, peer, ...rest)
    })
    await during()
    store.mockRestore()
    return [...times]
  }

  async read(): Promise<unknown> {
    return (await this.dht.get('key', { latest: true }))?.value
  }
}

describe('a publication', () => {
  it('is stored again when half of its ttl has passed (N7)', async () => {
    const scene = new Scene()
    const times = await scene.timesOfWrites(async () => {
      await scene.dht.publish('key', 1, { ttl: 10 }).held()
      await scene.pass(16)
    })

    expect(times).toEqual([0, 5, 10, 15])
  })

  it('is stored at least once an hour, for peers that have come since (N7)', async () => {
    const scene = new Scene()
    await scene.dht.publish('key', 1, { ttl: 100_000 }).held()
    const times = await scene.timesOfWrites(async () => {
      scene.net.clock.time += MAX_RENEWAL_INTERVAL
      await scene.publications.runDue()
    })

    expect(times).toEqual([MAX_RENEWAL_INTERVAL])
  })

  it('is pending until a replica has it, tried again with growing pauses, and says why (N7)', async () => {
    const scene = new Scene()
    scene.setFailing(true)
    const publication = scene.dht.publish('key', 1, { ttl: 400 })
    const states: PublicationState[] = []
    publication.subscribe((state) => states.push(state))
    const times = await scene.timesOfWrites(async () => {
      await turns(20)
      expect(publication).toMatchObject({ state: 'pending', error: { message: /unreachable/ } })
      await scene.pass(16)
      scene.setFailing(false)
      await scene.pass(16)
    })

    expect(times).toEqual([0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5])
    expect(states).toEqual(['held'])
    expect(publication.error).toBeUndefined()
    expect(await scene.read()).toBe(1)
  })

  it('is tried again at once when a peer connects (N7)', async () => {
    const scene = new Scene()
    scene.setFailing(true)
    const publication = scene.dht.publish('key', 1, { ttl: 400 })
    await scene.pass(20)
    scene.setFailing(false)
    const held = publication.held()
    scene.publications.onPeer()
    await held

    expect(publication.state).toBe('held')
  })

  it('stays while something beats it, and is tried again at its next renewal (N7)', async () => {
    const scene = new Scene()
    const other = operations(scene.net)
    await other.store('key', 'of another', { ttl: 20 })
    const publication = scene.dht.publish('key', 'mine', { ttl: 12 })
    await turns(20)
    expect(publication.state).toBe('beaten')
    await scene.pass(13)

    expect(publication.state).toBe('held')
    expect(await scene.read()).toBe('mine')
  })

  it('is pending while a validator of this node refuses it, and says so to waiting callers (N7)', async () => {
    const scene = new Scene()
    const validate = vi.fn(({ value }) => value !== 'bad' || 'it is bad')
    scene.net.self.store.checks.addValidators([{ name: 'taste', validate }])
    const publication = scene.dht.publish('key', 'bad', { ttl: 20 })
    const refusal = { name: 'ValidationError', message: expect.stringContaining('it is bad') }
    await expect(publication.held()).rejects.toMatchObject(refusal)
    await expect(publication.held()).rejects.toMatchObject(refusal)
    await scene.pass(9)
    expect(validate).toHaveBeenCalledTimes(1)
    expect(publication).toMatchObject({ state: 'pending', error: refusal })

    await publication.update('good')
    await expect(publication.update('bad')).rejects.toMatchObject(refusal)
    validate.mockReturnValue(true)
    await scene.pass(11)
    expect(publication.state).toBe('held')
  })

  it('gives way to a store, a deletion or a publication of this node that is held, and to no other (N7)', async () => {
    const scene = new Scene()
    const { dht } = scene
    const first = dht.publish('key', 'first', { ttl: 60 })
    await first.held()
    expect(await dht.store('key', 'shorter', { ttl: 20 })).toBe(false)
    scene.setFailing(true)
    await expect(dht.store('key', 'fails', { ttl: 80 })).rejects.toThrow()
    const second = dht.publish('key', 'second', { ttl: 80 })
    await turns(20)
    expect([first.state, second.state]).toEqual(['held', 'pending'])

    scene.setFailing(false)
    scene.publications.onPeer()
    await second.held()
    expect([first.state, second.state]).toEqual(['stopped', 'held'])
    expect(await dht.store('key', 'stored', { ttl: 100 })).toBe(true)
    expect(second.state).toBe('stopped')
    expect(scene.publications.size).toBe(0)
  })

  it('ends with the deletion of its key, and so do those of its subkeys (N7)', async () => {
    const { dht, publications } = new Scene()
    const places = ['a', ['b', 1], undefined]
    const published = places.map((subkey) => dht.publish('key', 1, { ttl: 60, subkey }))
    const other = dht.publish('key of another', 1, { ttl: 60 })
    await Promise.all(published.map((one) => Promise.race([one.held(), turns(20)])))
    await other.held()

    expect(await dht.delete('key')).toBe(true)
    expect(published.map(({ state }) => state)).toEqual(['stopped', 'stopped', 'stopped'])
    expect(publications.size).toBe(1)
  })

  it('says goodbye without a read, one step later than what it wrote last (R9)', async () => {
    const scene = new Scene()
    const publication = scene.dht.publish('key', 1, { ttl: 60, goodbye: true })
    await publication.held()
    await publication[Symbol.asyncDispose]()

    expect(await scene.read()).toBeUndefined()
    expect(scene.net.ranks('find').length).toBeLessThanOrEqual(5)
    expect(await scene.dht.store('key', 2, { ttl: 61 })).toBe(true)
    await expect(publication.held()).rejects.toMatchObject({ name: 'AbortError' })
    await expect(publication.update(2)).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('says no goodbye for what has taken its place, nor unless it is asked to', async () => {
    const scene = new Scene()
    const first = scene.dht.publish('key', 1, { ttl: 60, goodbye: true })
    await first.held()
    const second = scene.dht.publish('key', 2, { ttl: 70 })
    await second.held()
    await first.stop()
    await second.stop()

    expect(await scene.read()).toBe(2)
  })

  it('has another value by update, of several only the last, and says so when it is held', async () => {
    const scene = new Scene()
    const publication = scene.dht.publish('key', { n: 0 }, { ttl: 60 })
    await publication.held()
    await Promise.all([1, 2, 3].map((n) => publication.update({ n })))

    expect(publication.value).toEqual({ n: 3 })
    expect(await scene.read()).toEqual({ n: 3 })
    await expect(publication.update(undefined as never)).rejects.toThrow(TypeError)
    expect(publication.value).toEqual({ n: 3 })
  })

  it('may be updated by a caller who does not wait, in any of its forms (N7)', async () => {
    const scene = new Scene()
    const { value } = handlesOf(scene.dht)
    const sealed = sealedView(scene.dht, new Uint8Array(32))
    const publications = [
      scene.dht.publish('key', 1, { ttl: 60 }),
      value('other', z.number()).publish(1, { ttl: 60 }),
      sealed.publish('third', 1, { ttl: 60 })
    ]
    scene.setFailing(true)
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })

    try {
      const updates = publications.map((one) => one.update(2))
      await turns(20)
      await vi.advanceTimersByTimeAsync(DEFAULT_CALL_TIMEOUT_MS)
      await new Promise((resolve) => setImmediate(resolve))
      expect(unhandled).not.toHaveBeenCalled()
      expect(publications.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending'])
      expect(await Promise.allSettled(updates)).toMatchObject(
        updates.map(() => ({ status: 'rejected', reason: { name: 'TimeoutError' } }))
      )
    } finally {
      vi.useRealTimers()
      process.off('unhandledRejection', unhandled)
    }
  })

  it('ends with its signal, and with the DHT that published it', async () => {
    const { dht, publications } = new Scene()
    const leaving = new AbortController()
    dht.publish('key', 1, { ttl: 60, signal: leaving.signal })
    dht.publish('other', 1, { ttl: 60 })
    leaving.abort()
    expect(publications.size).toBe(1)
    await dht.close()
    expect(publications.size).toBe(0)
  })

  it.each([{}, { ttl: 0 }, { ttl: -1 }, { ttl: '5' }, { ttl: Number.NaN }, undefined])(
    'is refused with the options %j, at once',
    (options) => {
      expect(() => new Scene().dht.publish('key', 1, options as never)).toThrow(TypeError)
    }
  )

  it('survives any order of failures, and gives way only to what is held in its place (N7)', async () => {
    const event = fc.record({
      name: fc.constantFrom(...Object.keys(EVENTS)),
      seconds: fc.constantFrom(1, 2, 9, 30)
    })

    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 12 }), async (events) => {
        const history = new History()

        for (const { name, seconds } of events) {
          await EVENTS[name]?.(history, seconds)
          await turns(20)
        }

        await history.recover()

        expect(history.publication.state).toBe(history.wanted === undefined ? 'stopped' : 'held')
        expect(history.wanted === undefined || (await history.scene.read())).toEqual(
          history.wanted ?? true
        )
      }),
      law(150)
    )
  })
})

/** The history of a place with a publication. */
class History {
  readonly scene: Scene = new Scene()
  readonly other: Operations = operations(this.scene.net)
  publication: Publication = this.scene.dht.publish('key', 'first', { ttl: 10 })

  /** The expected value at the end; undefined: another write of this node was held in its place. */
  wanted: string | undefined = 'first'
  count = 0

  nextValue(): string {
    return `value ${this.count++}`
  }

  async recover(): Promise<void> {
    this.scene.setFailing(false)
    this.scene.publications.onPeer()
    await turns(20)
    await this.scene.pass(120)
  }
}

const EVENTS: Readonly<Record<string, (history: History, seconds: number) => unknown>> = {
  fail: ({ scene }) => scene.setFailing(true),
  recover: ({ scene }) => scene.setFailing(false),
  connect: ({ scene }) => scene.publications.onPeer(),
  pass: ({ scene }, seconds) => scene.pass(seconds),
  other: (history, ttl) =>
    history.other.store('key', history.nextValue(), { ttl }).catch(() => false),
  async store(history, ttl) {
    const isHeld = await history.scene.dht
      .store('key', history.nextValue(), { ttl })
      .catch(() => false)
    history.wanted = isHeld ? undefined : history.wanted
  },
  publish(history) {
    const value = history.nextValue()
    // Lives longer than anything before it, and so wins as soon as it reaches a replica.
    const ttl = 40 + 10 * history.count
    history.publication = history.scene.dht.publish('key', value, { ttl })
    history.wanted = value
  }
}

describe('a store with retry', () => {
  it('tries again until a replica has it, at once when a peer connects', async () => {
    const scene = new Scene()
    scene.setFailing(true)
    const storing = scene.dht.store('key', 1, { ttl: 86_400, retry: true })
    await turns(20)
    scene.setFailing(false)
    scene.publications.onPeer()

    expect(await storing).toBe(true)
    expect(await scene.read()).toBe(1)
  })

  it('ends when something beats it, when its time is over, and when it is aborted', async () => {
    const scene = new Scene()
    scene.setFailing(true)
    const leaving = new AbortController()
    const options = { ttl: 100, retry: true }
    const [beaten, expired] = [
      scene.dht.store('key', 1, options),
      scene.dht.store('other', 1, options)
    ]
    const aborted = scene.dht.store('third', 1, { ...options, signal: leaving.signal })
    const settled = Promise.allSettled([aborted])
    await turns(20)
    leaving.abort(new Error('enough'))

    for (const peer of scene.net.peers) {
      peer.store.apply(KEY, plainRecord('later', START + 500))
    }

    scene.net.clock.time += 200
    scene.publications.onPeer()
    expect(await expired).toBe(false)
    scene.setFailing(false)
    scene.publications.onPeer()
    expect(await beaten).toBe(false)
    expect(await settled).toMatchObject([{ status: 'rejected', reason: { message: 'enough' } }])
  })

  it('is no habit: without it, a store rejects at once', async () => {
    const scene = new Scene()
    scene.setFailing(true)

    await expect(scene.dht.store('key', 1, { ttl: 60 })).rejects.toMatchObject({
      name: 'UnreachableError'
    })
  })
})
