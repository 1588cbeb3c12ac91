import { drive, type Measured } from '../workload/drive.ts'
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
      for (const each of watched) {
        await each.store(-1 - i)
      }
    }

    return await drive((index) => storeAt(watched[index]), { count: keys.length, inFlight: 1 })
  } finally {
    for (const each of watched) {
      each.stop()
    }
  }
}

async function storeAt(watched: WatchedKey | undefined): Promise<boolean> {
  return (await watched?.store()) === true
}

class WatchedKey {
  readonly #writer: Client
  readonly #key: number
  readonly #stop: (() => void) | undefined
  #wanted: { readonly value: Uint8Array; readonly delivered: () => void } | undefined

  constructor({ writer, reader }: WatchingClients, key: number) {
    this.#writer = writer
    this.#key = key
    this.#stop = reader.watch?.(keyFor(key), (value) => this.#onValue(value))
  }

  /** True when the value of this number has been delivered, whether its store has ended or not. */
  async store(number: number = this.#key): Promise<boolean> {
    const value = valueFor(number)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const timer = setTimeout(() => resolve(false), DELIVERY_TIMEOUT_MS)
    this.#wanted = { value, delivered: () => resolve(true) }
    const stored = this.#writer.store(keyFor(this.#key), value)

    try {
      return await promise
    } finally {
      clearTimeout(timer)
      await stored
    }
  }

  stop(): void {
    this.#stop?.()
  }

  #onValue(value: Uint8Array | undefined): void {
    if (value !== undefined && this.#wanted && Buffer.compare(value, this.#wanted.value) === 0) {
      this.#wanted.delivered()
    }
  }
}
