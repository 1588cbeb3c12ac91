// A process with one node on disk, whose clock and disk can be disturbed.
import { setTimeout as passed } from 'node:timers/promises'
import { tcp } from '@libp2p/tcp'
import { DHT, type DHTOptions, type Key, type Lifetime, type StoreEntry } from '@waggle/dht'
import { ClassicLevel } from 'classic-level'
import type { Seen } from '../../nodes/nodes-main.ts'
import { serve } from '../../processes/serve.ts'

export interface ChaosNodeOptions extends DHTOptions {
  /** Address that connections come from. */
  readonly host: string
}

let dht: DHT
let clockAheadMs = 0
let diskDelayMs = 0
let unhandled = 0
const systemNow = Date.now

type Write = (...args: unknown[]) => Promise<void>

Date.now = () => systemNow() + clockAheadMs

for (const event of ['unhandledRejection', 'uncaughtException']) {
  process.on(event, () => unhandled++)
}

delayDisk()

const handlers = {
  async start({ host, ...options }: ChaosNodeOptions): Promise<void> {
    // The option is passed on to the system, although its type leaves this out.
    const dialOpts: object = { localAddress: host }
    const transports = [tcp({ dialOpts })]
    dht = await DHT.create({ ...options, libp2pOptions: { transports } })
  },

  store: ({ key, value, ...options }: StoreEntry & Lifetime) => dht.store(key, value, options),
  delete: ({ key, ...options }: { key: Key; subkey?: Key; expirationTime: number }) =>
    dht.delete(key, options),

  /** Gets a record: a value without subkey, or each subkey with its value. */
  async get({ key, latest }: { key: Key; latest: boolean }): Promise<[Key | null, Seen][]> {
    const found = await dht.get(key, { latest })
    const { value } = found ?? {}
    return value instanceof Map ? [...value] : found ? [[null, found]] : []
  },

  /** Steps the wall clock, and no timer. */
  moveClock(byMs: number): void {
    clockAheadMs += byMs
  },

  /** Delays all writes to disk from now on. */
  slowDisk(delayMs: number): void {
    diskDelayMs = delayMs
  },

  state: () => ({ peers: dht.stats().peers, records: dht.stats().records, unhandled })
}

export type ChaosNodeHandlers = typeof handlers

serve(handlers)

/** Delays the database, below Waggle's own code. */
function delayDisk(): void {
  const prototype = ClassicLevel.prototype as unknown as Record<'_batch', Write>
  const { _batch: write } = prototype

  prototype._batch = async function (...args) {
    await passed(diskDelayMs)
    return write.apply(this, args)
  }
}
