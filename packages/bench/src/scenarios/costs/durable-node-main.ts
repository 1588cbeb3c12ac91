// A process with one node, which is the only replica of its records.
import { DHT, type DHTOptions } from '@waggle/dht'
import { serve } from '../../processes/serve.ts'
import { liveMemory, timed } from '../../processes/usage.ts'
import { keyFor, valueFor } from '../../workload/records.ts'

export type DurableNodeOptions = Pick<DHTOptions, 'dataDir' | 'durability'>

/** Numbers of the records to store. */
interface Span {
  readonly from: number
  readonly count: number
}

const TTL = 3600

let node: DHT

const handlers = {
  start: (options: DurableNodeOptions) =>
    timed(async () => {
      node = await DHT.create({ ...options, cache: false })
    }),

  /** Stores records one after another; resolves with the milliseconds of each. */
  storeOneByOne: (span: Span) =>
    Array.fromAsync(entriesOf(span), async ({ key, value, ttl }) => {
      const { elapsedMs, result } = await timed(() => node.store(key, value, { ttl }))
      assertStored([result])
      return elapsedMs
    }),

  storeMany: (span: Span) => timed(async () => assertStored(await node.storeMany(entriesOf(span)))),
  records: () => node.stats().records,
  memory: liveMemory,
  stop: () => node.stop()
}

export type DurableNodeHandlers = typeof handlers

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
