import { isEmpty, plainRecord, recordKey } from '@waggle/record'
import { describe, expect, it, vi } from 'vitest'
import { BUSY_PAUSE_MS } from '../../src/admission/scheduler.ts'
import { DEFAULT_NODE_LIMITS } from '../../src/node-limits.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { Calls } from '../../src/timing/calls.ts'
import { INACTIVITY_TIMEOUT_MS } from '../../src/wire/limits.ts'
import { ACTIVE } from '../support/cancellation.ts'
import { asking, clientOf, find, store } from '../support/exchange-asking.ts'
import { findRequest, NOW, recordOf, serving, storeRequest } from '../support/exchange-serving.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { PATIENCE } from '../support/libp2p-node.ts'
import { operations } from '../support/simulated-operations.ts'
import { Simulation, START } from '../support/simulated-replicas.ts'

const source = useStreamSource()

const KEY = recordKey('key')
const WRITE = plainRecord('a value', START + 100)

describe('a node with too much to do', () => {
  it('answers BUSY beyond its rate, and does nothing of what was asked (N9f)', async () => {
    const limits = { ...DEFAULT_NODE_LIMITS, maxKeysPerSecondPerPeer: 3 }
    const server = await serving(source, { nodeLimits: limits })
    server.talker.say(
      findRequest(['a', 'b', 'c', 'd'], { id: 1 }),
      storeRequest([['e', recordOf('e')]], { id: 2 })
    )

    expect(await server.talker.hear('found')).toMatchObject({ id: 1 })
    expect(await server.talker.hear('busy')).toEqual({ name: 'busy', id: 2 })
    expect(server.store.records).toBe(0)
  })

  it('reads no more of the peer for a moment after BUSY (N9f)', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })

    try {
      const limits = { ...DEFAULT_NODE_LIMITS, maxKeysPerSecondPerPeer: 1 }
      const server = await serving(source, { nodeLimits: limits })
      server.talker.say(findRequest(['a', 'b'], { id: 1 }), findRequest(['c'], { id: 2 }))
      await server.talker.hear('found')
      await server.talker.hear('busy')
      expect(server.stream.readStatus).toBe('paused')

      vi.advanceTimersByTime(BUSY_PAUSE_MS - 1)
      await Promise.resolve()
      expect(server.stream.readStatus).toBe('paused')

      vi.advanceTimersByTime(1)
      await vi.waitUntil(() => server.stream.readStatus === 'readable', PATIENCE)
    } finally {
      vi.useRealTimers()
    }
  })

  it('answers BUSY when too many requests are under way (N9f)', async () => {
    const limits = { ...DEFAULT_NODE_LIMITS, maxRequests: 1 }
    const held = new RecordStore({ clock: () => NOW })
    const durable = Promise.withResolvers<void>()
    held.persistWith({ noteChange: () => {}, whenDurable: () => durable.promise })
    const server = await serving(source, { nodeLimits: limits, held })
    server.talker.say(
      storeRequest([['a', recordOf('a')]], { id: 1 }),
      storeRequest([['b', recordOf('b')]], { id: 2 })
    )

    expect(await server.talker.hear('busy')).toEqual({ name: 'busy', id: 2 })
    durable.resolve()
    expect(await server.talker.hear('stored')).toMatchObject({ id: 1 })
    expect(held.records).toBe(1)
  })
})

describe('a client of a busy peer', () => {
  it('is told so at once, for all that travelled in the message (N8b)', async () => {
    const { ask, peer } = asking(source)
    const answers = Promise.allSettled([ask(find('a')), ask(find('b')), ask(store('c'))])
    const talker = await peer()
    const { id } = await talker.hear('find')
    talker.say({ name: 'busy', id })
    const write = await talker.hear('store')
    talker.say({
      name: 'stored',
      id: write.id,
      peers: [],
      answers: [{ outcome: 'full', closer: [] }]
    })

    expect(await answers).toMatchObject([
      { reason: { name: 'BusyError' } },
      { reason: { name: 'BusyError' } },
      { status: 'fulfilled' }
    ])
  })

  it.each(['get', 'store'] as const)(
    'hears a BusyError when nobody else answers a %s',
    async (call) => {
      const net = new Simulation(KEY, { size: 8, isReplica: () => false })

      for (const peer of net.peers) {
        Object.assign(peer, { fails: 'always', isBusy: true })
      }

      const done =
        call === 'get'
          ? operations(net).get('key')
          : operations(net).store('key', 'a value', { ttl: 100 })
      await expect(done).rejects.toMatchObject({ name: 'BusyError' })
    }
  )

  it.each([false, true])(
    'hears a BusyError, and not that nothing is there, when all that hold it are busy (latest: %s, N8e)',
    async (latest) => {
      const net = new Simulation(KEY, { size: 30, isReplica: () => false })

      for (const peer of net.peers.slice(0, 5)) {
        peer.store.apply(KEY, WRITE)
        Object.assign(peer, { fails: 'always', isBusy: true })
      }

      const done = net.replicas.read(KEY, { latest, cancellation: ACTIVE })
      await expect(done).rejects.toMatchObject({ name: 'BusyError' })
    }
  )

  it('hears that nothing is there when only some of many are busy (N8e)', async () => {
    const net = new Simulation(KEY, { size: 30, isReplica: () => false })

    for (const peer of net.peers.slice(0, 2)) {
      Object.assign(peer, { fails: 'always', isBusy: true })
    }

    const { record } = await net.replicas.read(KEY, { cancellation: ACTIVE })
    expect(isEmpty(record)).toBe(true)
  })

  it('is served by others, if there are any', async () => {
    const net = new Simulation(KEY, { size: 20 })
    Object.assign(net.peer(0), { fails: 'always', isBusy: true })

    expect(await net.replicas.write(KEY, WRITE, ACTIVE)).toMatchObject({ outcome: 'held' })
    expect(net.holders(KEY)).toEqual([1, 2, 3, 4, 5])
  })
})

describe('an application that asks for too much', () => {
  it('hears a BusyError beyond so many calls, until some have ended (N9j)', async () => {
    const calls = new Calls(new AbortController().signal, { maxCalls: 2 })
    const { promise, resolve } = Promise.withResolvers<void>()
    const run = (): Promise<void> => calls.run('get', {}, () => promise)
    const under = [run(), run()]
    expect(run).toThrow('2 calls')
    resolve()
    await Promise.all(under)
    await expect(run()).resolves.toBeUndefined()
  })
})

describe('questions to a peer that reads and never answers', () => {
  it('are refused beyond so many bytes (N9j)', async () => {
    const { client, peer } = asking(source, { maxRequestBytes: 1_000_000 })
    const record = new Uint8Array(300_000)
    const asked = Array.from({ length: 20 }, () => client.ask(store('a', { record })))
    const outcomes = Promise.allSettled(asked)
    await peer()
    client.close()
    const names = (await outcomes).map((outcome) => Reflect.get(outcome, 'reason').name)

    expect(names.filter((name) => name === 'BusyError')).toHaveLength(16)
  })

  it('end with its stream after some silence, though nobody asks again (N8d)', async () => {
    const [mine, theirs] = await source.open()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })

    try {
      const client = clientOf(async () => mine)
      const refused = expect(client.ask(find('a'))).rejects.toThrow('silent')
      await vi.advanceTimersByTimeAsync(2 * INACTIVITY_TIMEOUT_MS + 1)
      await refused
    } finally {
      vi.useRealTimers()
    }

    await vi.waitUntil(() => theirs.status !== 'open', PATIENCE)
  })
})
