import type { Stream } from '@libp2p/interface'
import { recordKey } from '@waggle/record'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { BufferLimits } from '../../src/admission/buffer-limits.ts'
import { Scheduler } from '../../src/admission/scheduler.ts'
import { CLOCK, type ClockMessage } from '../../src/clock/clock-messages.ts'
import { clockServer } from '../../src/clock/clock-server.ts'
import { ExchangeServer } from '../../src/exchange/exchange-server.ts'
import { DEFAULT_NODE_LIMITS } from '../../src/node-limits.ts'
import { Access } from '../../src/peers/access.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { COMPARE, type CompareMessage } from '../../src/upkeep/compare-messages.ts'
import { compareServer } from '../../src/upkeep/compare-server.ts'
import { ForwardedKeys } from '../../src/watch/forwarded-keys.ts'
import { WatchServer } from '../../src/watch/watch-server.ts'
import { MAX_STREAMS_PER_PEER } from '../../src/wire/limits.ts'
import { ProtocolServer, type ServedProtocol } from '../../src/wire/protocol-server.ts'
import { ECHO, type EchoMessage, echoTalker } from '../support/echo-protocol.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { headOf, Talker } from '../support/exchange-talker.ts'
import { PATIENCE } from '../support/libp2p-node.ts'
import { peerNumber } from '../support/numbered-peers.ts'

const source = useStreamSource()

const store = new RecordStore()
const routing = { nearest: () => [] }

/** Serves a stream by one of a node's protocols. */
type Serve = (server: ProtocolServer, stream: Stream, isAsked?: boolean) => unknown

function serving<M>(protocol: ServedProtocol<M>): Serve {
  return (server, stream, isAsked = false) =>
    isAsked
      ? server.accept(protocol, stream, source.asker)
      : server.serve(protocol, stream, source.asker)
}

const exchange = serving(new ExchangeServer({ store, routing }))
const watch = serving(
  new WatchServer({
    ...{ store, routing, numReplicas: 5, maxWatchersPerKey: 128 },
    forwarded: new ForwardedKeys({ max: 0, begin: () => expect.unreachable() })
  })
)
const compare = serving(compareServer(store))
const clock = serving(clockServer(store.clock))

describe.each<[string, Serve]>([
  ['the exchange', exchange],
  ['watch', watch],
  ['compare', compare],
  ['clock', clock]
])('a stream of %s', (_, serve) => {
  it('ends when its peer violates the protocol, which is told (N9c)', async () => {
    const onViolation = vi.fn()
    const server = new ProtocolServer({ onViolation })
    const [mine, theirs] = await source.open()
    serve(server, theirs)
    const talker = echoTalker(mine)
    talker.sayBytes(headOf(2 ** 32 - 1))

    expect(await talker.ended).toBeInstanceOf(Error)
    expect(onViolation).toHaveBeenCalledExactlyOnceWith(source.asker, expect.any(Error))
  })

  it('is one of so many of its peer, the oldest of which end (N9d)', async () => {
    const server = new ProtocolServer()
    const streams: Stream[] = []

    for (let i = 0; i <= MAX_STREAMS_PER_PEER; i++) {
      const [mine, theirs] = await source.open()
      serve(server, theirs)
      streams.push(mine)
    }

    await vi.waitUntil(() => streams[0]?.status !== 'open', PATIENCE)
    expect(streams.slice(1).every(({ status }) => status === 'open')).toBe(true)
  })
})

describe('what waits on streams', () => {
  it(
    'counts for one peer, whatever the protocols are (N9d)',
    async () => {
      const limits = { ...DEFAULT_NODE_LIMITS, maxBufferedBytesPerPeer: 100_000 }
      const buffers = new BufferLimits(limits)
      const server = new ProtocolServer({ limits, buffers })
      const talkers: { readonly stream: Stream }[] = []

      for (const serve of [exchange, watch, compare]) {
        const [mine, theirs] = await source.open()
        serve(server, theirs)
        const talker = echoTalker(mine)
        // None of them is too much by itself.
        talker.sayBytes(headOf(100_000))
        talker.sayBytes(new Uint8Array(60_000))
        talkers.push(talker)
      }

      const ended = (): number => talkers.filter(({ stream }) => stream.status !== 'open').length
      await vi.waitUntil(() => ended() === 2, PATIENCE)
      // What the last one holds is not too much.
      buffers.check()
      expect(ended()).toBe(2)

      buffers.stop()
    },
    PATIENCE.timeout
  )
})

describe('a peer that may not ask', () => {
  const access = new Access((peer) => peer.equals(peerNumber(1)))

  it.each<[string, Serve]>([
    ['the exchange', exchange],
    ['watch', watch],
    ['compare', compare]
  ])('is served nothing by %s (N9i)', async (_, serve) => {
    const [mine, theirs] = await source.open()
    await serve(new ProtocolServer({ access }), theirs, true)

    await vi.waitUntil(() => mine.status !== 'open', PATIENCE)
  })

  it('is told the time (N9i)', async () => {
    const [mine, theirs] = await source.open()
    await clock(new ProtocolServer({ access }), theirs, true)
    await source.open()

    expect(mine.status).toBe('open')
  })
})

describe('a peer that asks for more keys than its rate', () => {
  const rates = { maxKeysPerSecondPerPeer: 100, maxKeysPerSecond: 1000 }
  const limits = { ...DEFAULT_NODE_LIMITS, ...rates }

  afterEach(() => {
    vi.useRealTimers()
  })

  /** Opens a stream on which a peer asks for the fingerprints of some keys. */
  async function comparing(server: ProtocolServer, asker = source.asker): Promise<Compares> {
    const [mine, theirs] = await source.open()
    server.serve(compareServer(store), theirs, asker)
    const talker = new Talker<CompareMessage>(mine, COMPARE)
    return {
      talker,
      ask: (keys) => talker.say({ name: 'compare', keys: new Array(keys).fill(recordKey('key')) })
    }
  }

  interface Compares {
    readonly talker: Talker<CompareMessage>
    ask(keys: number): void
  }

  it('waits, whatever the protocol is, and others do not (N9f)', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const scheduler = new Scheduler(rates)
    const server = new ProtocolServer({ limits, scheduler })
    const greedy = await comparing(server)
    greedy.ask(200)
    await greedy.talker.hear('compared')
    expect(scheduler.admission.admits(source.asker.toString(), 1)).toBe(false)

    const [mine, theirs] = await source.open()
    server.serve(clockServer(store.clock), theirs, source.asker)
    const late = new Talker<ClockMessage>(mine, CLOCK)
    late.say({ name: 'ask' })
    const other = await comparing(server, peerNumber(1))
    other.ask(2)
    await other.talker.hear('compared')
    await vi.advanceTimersByTimeAsync(900)
    expect(late.unheard).toBe(0)
    await vi.advanceTimersByTimeAsync(200)
    expect((await late.hear('tell')).time).toBeGreaterThan(0)
  })
})

describe('requests that are being answered', () => {
  it('count for one peer, whatever the protocols are (N13)', async () => {
    const limits = { ...DEFAULT_NODE_LIMITS, maxRequestsPerPeer: 2 }
    const server = new ProtocolServer({ limits })
    const begun: string[] = []
    const finish: (() => void)[] = []
    const ask = async (id: string, asker = source.asker): Promise<Talker<EchoMessage>> => {
      const [mine, theirs] = await source.open()
      function* reply(): Generator<undefined, Promise<EchoMessage>> {
        begun.push(id)
        return new Promise((resolve) => {
          finish.push(() => resolve({ name: 'echo', words: [] }))
        })
      }
      const serve = () => ({ respond: () => ({ keys: 1, reply: reply() }) })
      server.serve({ id, codec: ECHO, serve }, theirs, asker)
      const talker = echoTalker(mine)
      talker.say({ name: 'say', words: [] })
      return talker
    }

    const first = await ask('a')
    await ask('b')
    await ask('c')
    await ask('another one', peerNumber(1))
    await vi.waitUntil(() => begun.length === 3, PATIENCE)
    expect(begun.toSorted()).toEqual(['a', 'another one', 'b'])

    finish[begun.indexOf('a')]?.()
    await first.hear('echo')
    await vi.waitUntil(() => begun.includes('c'), PATIENCE)
  })
})

describe('a request that cannot be answered', () => {
  it('ends its stream, and no other (N9c)', async () => {
    const failing: ServedProtocol<EchoMessage> = {
      id: '/echo/1.0.0',
      codec: ECHO,
      serve: () => ({ respond: () => ({ keys: 1, reply: failingReply() }) })
    }
    const server = new ProtocolServer()
    const [[one, oneServed], [other, otherServed]] = [await source.open(), await source.open()]
    server.serve(failing, oneServed, source.asker)
    server.serve(failing, otherServed, source.asker)
    const talker = echoTalker(one)
    talker.say({ name: 'say', words: [] })

    expect(await talker.ended).toBeInstanceOf(Error)
    expect(other.status).toBe('open')
  })
})

// biome-ignore lint/correctness/useYield: it fails before
function* failingReply(): Generator<undefined, EchoMessage> {
  throw new Error('there is no reply')
}
