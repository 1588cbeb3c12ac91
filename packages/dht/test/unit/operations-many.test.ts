import { recordKey } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { DEFAULT_NUM_REPLICAS, MANY_BYTES_UNDER_WAY, MANY_UNDER_WAY } from '../../src/constants.ts'
import type { GetProgressEvent, StoreEntry } from '../../src/operations/call-options.ts'
import { turns } from '../support/end-of-turn.ts'
import { operations } from '../support/simulated-operations.ts'
import { Simulation, type SimulationOptions } from '../support/simulated-replicas.ts'

const KEY = recordKey('key')
const LIFETIME = { ttl: 600 }
const ENTRIES: StoreEntry[] = ['a', 'b', 'c'].map((key) => ({ key, value: key }))

function network(options: Partial<SimulationOptions> = {}): Simulation {
  return new Simulation(KEY, { size: 6, ...options })
}

/** Items that can be read only once, and the number of those read. */
interface Once<T> extends Iterable<T> {
  readonly drawn: number
  readonly isEnded: boolean
}

function once<T>(items: Iterable<T>): Once<T> {
  const state = { drawn: 0, isEnded: false }

  function* drawing(): Generator<T> {
    try {
      for (const item of items) {
        state.drawn++
        yield item
      }
    } finally {
      state.isEnded = true
    }
  }

  return Object.assign(state, { [Symbol.iterator]: drawing })
}

/** Yields many more numbers than can be in flight. */
function* long(): Generator<number> {
  for (let i = 0; i < 20 * MANY_UNDER_WAY; i++) {
    yield i
  }
}

function* entriesOf(keys: Iterable<number>, value: StoreEntry['value']): Generator<StoreEntry> {
  for (const key of keys) {
    yield { key, value }
  }
}

function hangAll(net: Simulation): void {
  for (const peer of net.peers) {
    peer.hangs = 'always'
  }
}

describe('Operations.storeMany', () => {
  it.each([
    ['an array', () => ENTRIES],
    ['a set', () => new Set(ENTRIES)],
    ['a generator', () => once(ENTRIES)]
  ])('stores all entries of %s, and answers in their order', async (_, entries) => {
    const net = network()
    const all = operations(net)
    await all.store('b', 'later', { ttl: 900 })

    expect(await all.storeMany(entries(), LIFETIME)).toEqual([true, false, true])
    const found = await all.getMany(['a', 'b', 'c'])
    expect(found.map((one) => one?.value)).toEqual(['a', 'later', 'c'])
  })

  it('stores nothing of an array in which anything is wrong, and says where', async () => {
    const net = network()
    const storing = operations(net).storeMany(
      [...ENTRIES, { key: 'd', value: undefined as never }],
      {
        ...LIFETIME
      }
    )

    await expect(storing).rejects.toThrow(TypeError)
    await expect(storing).rejects.toThrow(/^entry 3: /)
    expect(net.requests).toEqual([])
    expect(net.self.store.records).toBe(0)
  })

  it('stores of another iterable what comes before anything that is wrong, and says where', async () => {
    const net = network()
    const entries = once([...ENTRIES, { key: 'd', value: undefined as never }, ...ENTRIES])
    const storing = operations(net).storeMany(entries, LIFETIME)

    await expect(storing).rejects.toThrow(/^entry 3: /)
    expect(entries.drawn).toBe(4)
    expect(entries.isEnded).toBe(true)
  })

  it('draws no more entries than it has under way, however many there are (N9j)', async () => {
    const net = network()
    const entries = once(entriesOf(long(), 1))
    hangAll(net)
    operations(net)
      .storeMany(entries, LIFETIME)
      .catch(() => {})
    await turns(3)

    expect(entries.drawn).toBe(MANY_UNDER_WAY)
  })

  it('draws no more bytes than it has under way, either (N9j)', async () => {
    const net = network()
    const size = 200_000
    const entries = once(entriesOf(long(), new Uint8Array(size)))
    hangAll(net)
    operations(net)
      .storeMany(entries, LIFETIME)
      .catch(() => {})
    await turns(3)

    expect(entries.drawn * size).toBeGreaterThan(MANY_BYTES_UNDER_WAY - size)
    expect(entries.drawn * size).toBeLessThan(MANY_BYTES_UNDER_WAY + size)
  })

  it('stores more than it can have under way', async () => {
    const net = network({ size: DEFAULT_NUM_REPLICAS })
    const count = 2.5 * MANY_UNDER_WAY
    const entries = once(entriesOf(Array(count).keys(), 1))

    expect(await operations(net).storeMany(entries, LIFETIME)).toEqual(Array(count).fill(true))
    expect(net.peers.map(({ store }) => store.records)).toEqual(net.peers.map(() => count))
  })

  it.each(['an abort', 'a timeout', 'the end of the node'])(
    'draws and stores nothing more after %s (N8a)',
    async (ending) => {
      const net = network()
      const controller = new AbortController()
      const entries = once(entriesOf(long(), 1))
      const isAborted = ending === 'an abort'
      const storing = operations(net, isAborted ? {} : { lifetime: controller.signal }).storeMany(
        entries,
        {
          ...LIFETIME,
          signal: isAborted ? controller.signal : undefined,
          timeoutMs: ending === 'a timeout' ? 20 : undefined
        }
      )
      const settled = Promise.allSettled([storing])

      if (ending !== 'a timeout') {
        await turns(3)
        controller.abort(new Error('the caller has had enough'))
      }

      expect(await settled).toMatchObject([{ status: 'rejected' }])
      const { drawn } = entries
      await turns(20)
      expect(entries.drawn).toBe(drawn)
      expect(entries.isEnded).toBe(true)
      expect(net.self.store.records).toBeLessThanOrEqual(drawn)
    }
  )

  it('rejects at once when nobody answers in the time it has (N8a)', async () => {
    const net = network()
    hangAll(net)

    await expect(
      operations(net).storeMany(ENTRIES, { ...LIFETIME, timeoutMs: 20 })
    ).rejects.toMatchObject({
      ...{ name: 'TimeoutError', message: 'storeMany took longer than 20 ms' },
      results: ENTRIES.map(() => ({ status: 'rejected', reason: { name: 'TimeoutError' } }))
    })
    expect(net.peers.filter((peer) => net.book.isAvoided(peer))).toEqual([])
  })

  it.each(['text', Uint8Array.of(1, 2), 5, null, undefined, {}])(
    'refuses %o in the place of entries',
    async (entries) => {
      const storing = operations(network()).storeMany(entries as never, LIFETIME)

      await expect(storing).rejects.toThrow(TypeError)
      await expect(storing).rejects.toThrow('entries must be an array or another iterable')
    }
  )
})

describe('Operations.getMany', () => {
  async function stored(): Promise<Simulation> {
    const net = network()
    await operations(net).storeMany(ENTRIES, LIFETIME)
    return net
  }

  it.each([
    ['an array', (keys: string[]) => keys],
    ['a set', (keys: string[]) => new Set(keys)],
    ['a generator', (keys: string[]) => once(keys)]
  ])('answers the keys of %s in their order, and tells of each', async (_, from) => {
    const net = await stored()
    const events: GetProgressEvent[] = []
    const keys = ['c', 'nothing', 'a']
    const found = await operations(net).getMany(from(keys), {
      onProgress: (event) => events.push(event)
    })

    expect(found.map((one) => one?.value)).toEqual(['c', undefined, 'a'])
    expect(events.sort((a, b) => a.index - b.index)).toMatchObject([
      { name: 'found', index: 0, key: 'c', found: found[0] },
      { name: 'not-found', index: 1, key: 'nothing' },
      { name: 'found', index: 2, key: 'a', found: found[2] }
    ])
  })

  it('tells of what needs no asking when the caller has the promise', async () => {
    const dht = operations(await stored())
    const told: Promise<unknown>[] = []
    const reading: Promise<unknown> = dht.getMany(['a'], { onProgress: () => told.push(reading) })

    await reading
    expect(told).toEqual([reading])
  })

  it('asks for nothing of an array in which anything is wrong, and says where', async () => {
    const net = network()
    const reading = operations(net).getMany(['a', 'b', Number.NaN])

    await expect(reading).rejects.toThrow(/^entry 2: /)
    expect(net.requests).toEqual([])
  })

  it('says where in another iterable something is wrong, and draws no more', async () => {
    const keys = once(['a', 'b', Number.NaN, 'c'])

    await expect(operations(network()).getMany(keys)).rejects.toThrow(/^entry 2: /)
    expect(keys.drawn).toBe(3)
    expect(keys.isEnded).toBe(true)
  })

  it('draws no more keys than it has under way, however many there are (N9j)', async () => {
    const net = network()
    const keys = once(long())
    hangAll(net)
    operations(net)
      .getMany(keys)
      .catch(() => {})
    await turns(3)

    expect(keys.drawn).toBe(MANY_UNDER_WAY)
  })

  it('asks few peers for many keys, so that the questions travel in few messages (N4)', async () => {
    const net = network({ size: 21, isReplica: () => false })
    hangAll(net)
    operations(net)
      .getMany(Array(30).keys())
      .catch(() => {})
    await turns(2)

    expect(net.requests).toHaveLength(30)
    expect(new Set(net.ranks('find')).size).toBeLessThan(10)
  })

  it('draws nothing more, and tells of nothing more, after an abort (N8a)', async () => {
    const net = network()
    const controller = new AbortController()
    const keys = once(long())
    const events: GetProgressEvent[] = []
    hangAll(net)
    const reading = operations(net).getMany(keys, {
      signal: controller.signal,
      onProgress: (event) => events.push(event)
    })
    const reason = new Error('the caller has had enough')
    await turns(3)
    controller.abort(reason)

    await expect(reading).rejects.toBe(reason)
    await turns(20)
    expect(keys.drawn).toBe(MANY_UNDER_WAY)
    expect(events).toEqual([])
  })

  it('tells of no key that it finds nothing for the lack of time that it is not there (N8e)', async () => {
    const net = await stored()
    const controller = new AbortController()
    const events: GetProgressEvent[] = []
    const reason = new Error('the caller has had enough')
    const reading = operations(net, {}).getMany(['a', 'b', 'c'], {
      latest: true,
      signal: controller.signal,
      onProgress: (event) => events.push(event)
    })
    const settled = Promise.allSettled([reading])
    controller.abort(reason)

    expect(await settled).toEqual([{ status: 'rejected', reason }])
    await turns(10)
    expect(events).toEqual([])
  })

  it('rejects with what the listener throws', async () => {
    const reason = new Error('the listener has had enough')
    const reading = operations(await stored()).getMany(['a'], {
      onProgress: () => {
        throw reason
      }
    })

    await expect(reading).rejects.toBe(reason)
  })

  it.each(['text', Uint8Array.of(1, 2), 5, null, undefined, {}])(
    'refuses %o in the place of keys',
    async (keys) => {
      const reading = operations(network()).getMany(keys as never)

      await expect(reading).rejects.toThrow(TypeError)
      await expect(reading).rejects.toThrow('keys must be an array or another iterable')
    }
  )
})

describe('Operations', () => {
  const calls: [name: string, call: (net: Simulation, signal: AbortSignal) => Promise<unknown>][] =
    [
      ['store', (net, signal) => operations(net).store('key', 1, { ...LIFETIME, signal })],
      ['delete', (net, signal) => operations(net).delete('key', { ...LIFETIME, signal })],
      ['get', (net, signal) => operations(net).get('key', { signal })],
      ['get latest', (net, signal) => operations(net).get('key', { signal, latest: true })],
      ['storeMany', (net, signal) => operations(net).storeMany(ENTRIES, { ...LIFETIME, signal })],
      ['getMany', (net, signal) => operations(net).getMany(['key'], { signal })],
      ['findNearestPeers', (net, signal) => operations(net).findNearestPeers('key', { signal })]
    ]
  const reason = new Error('the caller has had enough')

  it.each(calls)(
    'rejects a %s with the reason of its signal, at once, and takes nobody for failed (N8a)',
    async (_, call) => {
      const net = network()
      const controller = new AbortController()
      hangAll(net)
      const called = call(net, controller.signal)
      const settled = Promise.allSettled([called])
      await turns(2)
      controller.abort(reason)

      expect(await settled).toEqual([{ status: 'rejected', reason }])
      expect(net.requests.length).toBeGreaterThan(0)
      expect(net.peers.filter((peer) => net.book.isAvoided(peer))).toEqual([])
    }
  )

  it.each(calls)('asks nobody for a %s that was aborted from the start (N8a)', async (_, call) => {
    const net = network()

    await expect(call(net, AbortSignal.abort(reason))).rejects.toBe(reason)
    await turns(3)
    expect(net.requests).toEqual([])
  })

  it.each(calls.slice(0, 5))(
    'changes nothing here by a %s that is aborted before anyone was asked (N8a)',
    async (_, call) => {
      const net = network({ selfRank: 0 })
      const controller = new AbortController()
      const settled = Promise.allSettled([call(net, controller.signal)])
      controller.abort(reason)
      await settled
      await turns(5)

      expect(net.requests).toEqual([])
      expect(net.self.store.records).toBe(0)
    }
  )
})
