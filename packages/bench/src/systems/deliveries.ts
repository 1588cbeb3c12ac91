import type { Measured } from '../workload/drive.ts'
import { keyFor, valueFor } from '../workload/records.ts'
import type { Client } from './system.ts'

/** Time after which a delivery has failed. */
const TIMEOUT_MS = 5_000

/** Watches keys, stores under one after the other, and times each until its value is delivered. */
export async function deliveries(
  writer: Client,
  reader: Client,
  { keys, warmUp }: { readonly keys: readonly number[]; readonly warmUp: number }
): Promise<Measured> {
  const watched = keys.map((key) => watchedKey(writer, reader, keyFor(key)))
  const storeAll = async (numberOf: (key: number) => number): Promise<(number | undefined)[]> => {
    const timesMs: (number | undefined)[] = []

    for (const [i, deliveryMs] of watched.entries()) {
      timesMs.push(await deliveryMs(valueFor(numberOf(keys[i] ?? i))))
    }

    return timesMs
  }

  for (let i = 0; i < warmUp; i++) {
    await storeAll(() => -1 - i)
  }

  const start = performance.now()
  const timesMs = await storeAll((key) => key)

  return {
    latenciesMs: timesMs.map((ms) => ms ?? TIMEOUT_MS),
    elapsedMs: performance.now() - start,
    failed: timesMs.flatMap((ms, index) => (ms === undefined ? index : []))
  }
}

/**
 * Watches a key. The function that it returns stores a value and times it from the call of `store` to the
 * delivery; it waits for the end of the store, which is not part of the time.
 */
function watchedKey(
  writer: Client,
  reader: Client,
  key: string
): (value: Uint8Array) => Promise<number | undefined> {
  let onValue = (_value: Uint8Array): void => {}
  reader.watch?.(key, (value) => value && onValue(value))

  return async (wanted) => {
    const { promise, resolve } = Promise.withResolvers<number | undefined>()
    const timer = setTimeout(() => resolve(undefined), TIMEOUT_MS)
    const start = performance.now()
    onValue = (value) => {
      if (Buffer.compare(value, wanted) === 0) {
        resolve(performance.now() - start)
      }
    }
    const [timeMs] = await Promise.all([promise, writer.store(key, wanted)])
    clearTimeout(timer)
    return timeMs
  }
}
