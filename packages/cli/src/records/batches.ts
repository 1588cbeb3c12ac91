/** Limits of one batch: enough to ask many peers at once, in little memory. */
const MAX_BATCH_ITEMS = 2048
const MAX_BATCH_BYTES: number = 4 * 1024 * 1024

/** Gathers items into batches that are bounded in number and in bytes. */
export async function* batches<T>(
  items: AsyncIterable<T> | Iterable<T>,
  bytesOf: (item: T) => number
): AsyncGenerator<T[], void, undefined> {
  let batch: T[] = []
  let bytes = 0

  for await (const item of items) {
    batch.push(item)
    bytes += bytesOf(item)

    if (batch.length >= MAX_BATCH_ITEMS || bytes >= MAX_BATCH_BYTES) {
      yield batch
      batch = []
      bytes = 0
    }
  }

  if (batch.length > 0) {
    yield batch
  }
}
