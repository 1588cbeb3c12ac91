import type { DHT, Found, Key } from '@waggle/dht'
import { machineTimeMs } from './machine-time.ts'

/** What `watch` delivered, and when on the machine's steady clock. */
export interface Delivery {
  readonly key: Key
  readonly found: Found | undefined
  readonly atMs: number
}

/** All that was delivered to the watchers of one process, in order. */
export class Deliveries {
  readonly #all: Delivery[] = []
  #failure: unknown

  /** Takes in what is delivered of a key, until the DHT stops. */
  async follow(dht: DHT, key: Key): Promise<void> {
    try {
      for await (const found of dht.watch(key)) {
        this.#all.push({ key, found, atMs: machineTimeMs() })
      }
    } catch (error) {
      this.#failure ??= error
    }
  }

  /** What came behind the first so many; throws why a loop has ended, as none is to. */
  since(count: number): Delivery[] {
    if (this.#failure !== undefined) {
      throw this.#failure
    }

    return this.#all.slice(count)
  }
}
