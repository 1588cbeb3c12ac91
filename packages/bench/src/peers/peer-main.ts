/** A DHT in a process of its own, which does what the process that started it calls for. */
import { DHT, type DHTOptions, type Found, type Key, type Subkey, type Value } from '@waggle/dht'
import { answerCalls } from '../calls/answer-calls.ts'
import { Deliveries, type Delivery } from './deliveries.ts'

export interface PeerCalls {
  /** Resolves with the addresses under which the others reach it. */
  start(options: DHTOptions): Promise<string[]>
  store(entry: {
    key: Key
    subkey?: Subkey
    value: Value
    expirationTime: number
  }): Promise<boolean>
  delete(entry: { key: Key; expirationTime: number }): Promise<boolean>
  get(question: { key: Key; latest: boolean }): Promise<Found | undefined>

  /** Begins to watch keys, and notes what is delivered. */
  watch(keys: readonly Key[]): void

  /** What was delivered behind the first so many. */
  deliveries(known: number): Delivery[]

  /** Whether this peer holds, for others, a plain value that lives so long. */
  holds(question: { key: Key; expirationTime: number }): boolean

  /** Does nothing else for so long, as a process does that computes, or waits for its disk. */
  block(ms: number): void
}

let dht: DHT | undefined
const deliveries = new Deliveries()

answerCalls<PeerCalls>({
  async start(options) {
    dht = await DHT.create(options)
    return dht.multiaddrs.map(String)
  },
  store: ({ key, value, ...options }) => started().store(key, value, options),
  delete: ({ key, expirationTime }) => started().delete(key, { expirationTime }),
  get: ({ key, latest }) => started().get(key, { latest }),
  watch(keys) {
    for (const key of keys) {
      void deliveries.follow(started(), key)
    }
  },
  deliveries: (known) => deliveries.since(known),
  holds: ({ key, expirationTime }) =>
    [...started().heldRecords()].some(
      (held) => held.key === key && (held.record.plain?.expirationTime ?? 0) >= expirationTime
    ),
  block(ms) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  }
})

function started(): DHT {
  if (dht === undefined) {
    throw new Error('the peer has not been started')
  }

  return dht
}
