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
  const watched = keys.map((key) => watchKey(writer, reader, keyFor(key)))
  const storeAll = (numbers: readonly number[]) =>
    Array.fromAsync(watched, (deliveryMs, i) => deliveryMs(valueFor(numbers[i] ?? i)))

  for (let i = 1; i <= warmUp; i++) {
    await storeAll(keys.map(() => -i))
  }

  const start = performance.now()
  const latenciesMs = await storeAll(keys)
  const failed = latenciesMs.flatMap((ms, index) => (ms < TIMEOUT_MS ? [] : index))
  return { latenciesMs, elapsedMs: performance.now() - start, failed }
}

/**
 * Watches a key. The function that it returns stores a value and times it from the call of `store` to the
 * delivery; it waits for the end of the store, which is not part of the time.
 */
function watchKey(writer: Client, reader: Client, key: string) {
  let onValue = (_value: Uint8Array): void => {}
  reader.watch?.(key, (value) => value && onValue(value))

  return async (wanted: Uint8Array): Promise<number> => {
    const { promise, resolve } = Promise.withResolvers<number>()
    const timer = setTimeout(() => resolve(TIMEOUT_MS), TIMEOUT_MS)
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
