// A process with one node of @waggle/hivemind, which runs the functions that the parent process calls.
import {
  HivemindDHT,
  type HivemindDHTOptions,
  type HivemindKey,
  type HivemindValue
} from '@waggle/hivemind'
import { serve } from '../../processes/serve.ts'

let dht: HivemindDHT

serve({
  async start({ options }: { options: HivemindDHTOptions }): Promise<string[][]> {
    dht = await HivemindDHT.create(options)
    return [dht.multiaddrs.map(String)]
  },

  store({ key, value, ...options }: StoreParams): Promise<boolean> {
    return dht.store(key, value, options)
  },

  async get({ key, latest }: { key: HivemindKey; latest: boolean }) {
    const found = await dht.get(key, { latest })
    return found && { value: found.isDictionary ? [...found.value] : found.value }
  },

  /** Stores keys and gets them with `latest`, one after the other; resolves with the milliseconds of each call. */
  async timeCalls({ count, prefix }: { count: number; prefix: string }) {
    const keys = Array.from({ length: count }, (_, i) => `${prefix} ${i}`)
    return {
      storeMs: await timeEach(keys, (key) => dht.store(key, 'x', { ttl: 300 })),
      getMs: await timeEach(keys, (key) => dht.get(key, { latest: true }))
    }
  }
})

async function timeEach(
  keys: readonly string[],
  call: (key: string) => Promise<unknown>
): Promise<number[]> {
  const timesMs: number[] = []

  for (const key of keys) {
    const startMs = performance.now()

    if (!(await call(key))) {
      throw new Error(`a call for ${key} failed`)
    }

    timesMs.push(performance.now() - startMs)
  }

  return timesMs
}

interface StoreParams {
  readonly key: HivemindKey
  readonly value: HivemindValue
  readonly subkey?: HivemindKey
  readonly expirationTime: number
}
