import type { Measured } from '../workload/drive.ts'
import { keyFor, valueFor } from '../workload/records.ts'
import type { WatchParams } from './handlers.ts'
import type { Client } from './system.ts'

/** A delivery that takes longer has failed. */
const DELIVERY_TIMEOUT_MS = 5_000

export interface WatchingClients {
  readonly writer: Client
  readonly reader: Client
}

/** Watches keys, then stores under one after the other, and takes the time until each value is delivered. */
export async function deliveries(
  clients: WatchingClients,
  { keys, warmUp }: WatchParams
): Promise<Measured> {
  const watched = keys.map((key) => new WatchedKey(clients, key))

  try {
    for (let i = 0; i < warmUp; i++) {
      await storeAtAll(watched, () => -1 - i)
    }

    const start = performance.now()
    const timesMs = await storeAtAll(watched, (key) => key)
    return {
      latenciesMs: timesMs.map((ms) => ms ?? DELIVERY_TIMEOUT_MS),
      elapsedMs: performance.now() - start,
      failed: timesMs.flatMap((ms, index) => (ms === undefined ? index : []))
    }
  } finally {
    for (const each of watched) {
      each.stop()
    }
  }
}

/** Under one after the other. Answers how long each value took; undefined if it has not come. */
async function storeAtAll(
  watched: readonly WatchedKey[],
  numberOf: (key: number) => number
): Promise<(number | undefined)[]> {
  const timesMs: (number | undefined)[] = []

  for (const each of watched) {
    timesMs.push(await each.deliveryMs(numberOf(each.key)))
  }

  return timesMs
}

class WatchedKey {
  readonly key: number
  readonly #writer: Client
  readonly #stop: (() => void) | undefined
  #wanted: Uint8Array = new Uint8Array()
  #onDelivery = (): void => {}

  constructor({ writer, reader }: WatchingClients, key: number) {
    this.key = key
    this.#writer = writer
    this.#stop = reader.watch?.(keyFor(key), (value) => this.#onValue(value))
  }

  /** From the call of store to the delivery; resolves when the store has ended, too, which is not measured. */
  async deliveryMs(number: number): Promise<number | undefined> {
    const { promise, resolve } = Promise.withResolvers<number | undefined>()
    const timer = setTimeout(() => resolve(undefined), DELIVERY_TIMEOUT_MS)
    const value = valueFor(number)
    const start = performance.now()
    this.#wanted = value
    this.#onDelivery = () => resolve(performance.now() - start)

    try {
      const [timeMs] = await Promise.all([promise, this.#writer.store(keyFor(this.key), value)])
      return timeMs
    } finally {
      clearTimeout(timer)
    }
  }

  stop(): void {
    this.#stop?.()
  }

  #onValue(value: Uint8Array | undefined): void {
    if (value !== undefined && Buffer.compare(value, this.#wanted) === 0) {
      this.#onDelivery()
    }
  }
}
