// A process with one node, which alone holds what it stores.
import { DHT, type DHTOptions } from '@waggle/dht'
import { serve } from '../../processes/serve.ts'
import { type LiveMemory, liveMemory, timed } from '../../processes/usage.ts'
import { keyFor, valueFor } from '../../workload/records.ts'

/** Numbers of the records to store. */
export interface Span {
  readonly from: number
  readonly count: number
}

export interface Took {
  readonly elapsedMs: number
  readonly cpuMs: number
}

const TTL = 3600

let node: DHT

const handlers = {
  start: (options: Pick<DHTOptions, 'dataDir' | 'durability'>): Promise<Took> =>
    timed(async () => {
      node = await DHT.create({ ...options, cache: false })
    }),

  /** Stores records one after another; resolves with the milliseconds of each. */
  async storeOneByOne(span: Span): Promise<number[]> {
    const times: number[] = []

    for (const { key, value, ttl } of entriesOf(span)) {
      const { elapsedMs, result } = await timed(() => node.store(key, value, { ttl }))
      assertStored([result])
      times.push(elapsedMs)
    }

    return times
  },

  storeMany: (span: Span): Promise<Took> =>
    timed(async () => assertStored(await node.storeMany(entriesOf(span)))),
  records: (): number => node.stats().records,
  memory: (): Promise<LiveMemory> => liveMemory(),
  stop: (): Promise<void> => node.stop()
}

export type KeeperHandlers = typeof handlers

serve(handlers)

function* entriesOf({ from, count }: Span) {
  for (let i = from; i < from + count; i++) {
    yield { key: keyFor(i), value: valueFor(i), ttl: TTL }
  }
}

function assertStored(stored: readonly boolean[]): void {
  if (!stored.every(Boolean)) {
    throw new Error('some records were not stored')
  }
}
