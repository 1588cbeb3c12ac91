/** One node in a process of its own, which stores what only itself holds. */
import { DHT, type DHTOptions } from '@waggle/dht'
import { answerCalls } from '../../calls/answer-calls.ts'
import { type LiveMemory, liveMemory } from '../../processes/live-memory.ts'
import { keyFor, valueFor } from '../../workload/records.ts'

export type KeeperOptions = Pick<DHTOptions, 'dataDir' | 'durability'>

/** So many records, from this number on. */
export interface Span {
  readonly from: number
  readonly count: number
}

export interface Took {
  readonly seconds: number
  readonly cpuSeconds: number
}

export interface KeeperCalls {
  start(options: KeeperOptions): Promise<Took>

  /** Stores them one after the other, and says how many milliseconds each took. */
  storeOneByOne(span: Span): Promise<number[]>
  storeMany(span: Span): Promise<Took>
  records(argument: undefined): number
  memory(argument: undefined): Promise<LiveMemory>
  stop(argument: undefined): Promise<void>
}

const TTL = 3600

let node: DHT | undefined

answerCalls<KeeperCalls>({
  start: (options) =>
    timed(async () => {
      node = await DHT.create({ ...options, cache: false })
    }),

  async storeOneByOne(span) {
    const times: number[] = []

    for (const { key, value } of entriesOf(span)) {
      const startMs = performance.now()
      mustBe(await started().store(key, value, { ttl: TTL }))
      times.push(performance.now() - startMs)
    }

    return times
  },

  storeMany: (span) =>
    timed(async () => mustBe((await started().storeMany(entriesOf(span))).every(Boolean))),
  records: () => started().stats().records,
  memory: () => liveMemory(),
  stop: () => started().stop()
})

async function timed(run: () => Promise<void>): Promise<Took> {
  const before = process.cpuUsage()
  const startMs = performance.now()
  await run()
  const { user, system } = process.cpuUsage(before)
  return { seconds: (performance.now() - startMs) / 1000, cpuSeconds: (user + system) / 1e6 }
}

function* entriesOf({ from, count }: Span) {
  for (let i = from; i < from + count; i++) {
    yield { key: keyFor(i), value: valueFor(i), ttl: TTL }
  }
}

function mustBe(isStored: boolean): void {
  if (!isStored) {
    throw new Error('something was not stored')
  }
}

function started(): DHT {
  if (node === undefined) {
    throw new Error('the node has not been started')
  }

  return node
}
