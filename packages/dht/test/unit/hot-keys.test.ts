import { EMPTY_RECORD, recordKey } from '@waggle/record'
import { describe, expect, it, vi } from 'vitest'
import {
  COPY_PERIOD_MS,
  HotKeys,
  MAX_COPIES,
  READS_PER_COPY,
  SAMPLE
} from '../../src/reading/hot-keys.ts'
import { ACTIVE } from '../support/cancellation.ts'
import { contact, recordOf } from '../support/exchange-serving.ts'
import { Simulation, START } from '../support/simulated-replicas.ts'
import { value } from '../support/watch-scene.ts'

const KEY = recordKey('hot')
const KNOWN = Array.from({ length: 30 }, (_, i) => contact(i))

interface Scene {
  readonly keys: HotKeys

  /** The ranks of peers that were sent copies. */
  readonly sent: number[]

  /** Reads a key several times as another peer. */
  read(count: number, key?: Uint8Array): void
}

function scene({ record = recordOf('popular'), known = KNOWN } = {}): Scene {
  const sent: number[] = []
  const keys = new HotKeys({
    routing: { nearest: (_, count) => known.slice(0, count) },
    ...{ numReplicas: 5, offset: 0 },
    held: () => record,
    send: (_, __, to) => sent.push(...to.map((peer) => known.indexOf(peer)))
  })
  return {
    ...{ keys, sent },
    read(count, key = KEY) {
      for (let i = 0; i < count; i++) {
        keys.count(key)
      }
    }
  }
}

describe('a key that others read', () => {
  it('is copied to the peers behind its replicas, to more of them the more often (N10i)', () => {
    using _ = fakeTime()
    const { read, sent } = scene()
    read(READS_PER_COPY)
    expect(sent).toEqual([5])

    read(3 * READS_PER_COPY)
    expect(sent).toEqual([5, 6, 7, 8])
  })

  it('is copied to no more peers, however often it is read (N10i)', () => {
    using _ = fakeTime()
    const { read, sent } = scene()
    read(100 * MAX_COPIES * READS_PER_COPY)
    expect(sent).toHaveLength(MAX_COPIES)
  })

  it('is copied anew every ten seconds while it is read as often, and no longer (N10i)', () => {
    using time = fakeTime()
    const { read, sent } = scene()
    read(2 * READS_PER_COPY)
    time.pass(COPY_PERIOD_MS)
    read(2 * READS_PER_COPY)
    expect(sent).toEqual([5, 6, 5, 6])
    time.pass(COPY_PERIOD_MS)
    expect(sent).toHaveLength(4)
  })

  it('is not copied for a few reads, nor by a peer that is no replica (N10i)', () => {
    using time = fakeTime()
    const cool = scene()

    for (let second = 0; second < 60; second++) {
      cool.read(READS_PER_COPY - SAMPLE)
      time.pass(1000)
    }

    expect(cool.sent).toEqual([])

    const stranger = scene({ record: EMPTY_RECORD })
    stranger.read(10 * READS_PER_COPY)
    expect(stranger.sent).toEqual([])
  })

  it('is not copied where nobody is behind the replicas (N10i)', () => {
    const { read, sent } = scene({ known: KNOWN.slice(0, 5) })
    read(10 * READS_PER_COPY)
    expect(sent).toEqual([])
  })

  it('takes no more than a MiB of copies a second (N10i)', () => {
    using _ = fakeTime()
    const { read, sent } = scene({ record: recordOf('large', 250_000) })

    for (let i = 0; i < 100; i++) {
      read(READS_PER_COPY, recordKey(`hot ${i}`))
    }

    expect(sent.length).toBeLessThanOrEqual(5)
  })

  it('is read from copies when its replicas are busy (N10i)', async () => {
    const net = new Simulation(KEY, { size: 20 })

    for (const rank of [0, 1, 2, 3, 4]) {
      Object.assign(net.peer(rank), { fails: 'always', isBusy: true })
    }

    const keys = new HotKeys({
      ...{ routing: net, numReplicas: 5, offset: 0 },
      held: () => value('popular'),
      send: (key, record, [to]) =>
        net.peers.find(({ id }) => id.equals(to?.id))?.store.apply(key, record)
    })

    for (let i = 0; i < READS_PER_COPY; i++) {
      keys.count(KEY)
    }

    const { record } = await net.replicas.read(KEY, { cancellation: ACTIVE })
    expect(record).toEqual(value('popular'))
    expect(net.clock.time).toBe(START)
  })
})

/** Makes manual time. */
function fakeTime(): Disposable & { pass(ms: number): void } {
  vi.useFakeTimers({ toFake: ['performance'] })
  return {
    pass: (ms) => vi.advanceTimersByTime(ms),
    [Symbol.dispose]: () => vi.useRealTimers()
  }
}
