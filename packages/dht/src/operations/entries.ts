import type { OptionalLifetime } from '@waggle/record'
import type { StoreEntry } from './call-options.ts'

/** Counts the items, as far as is known. */
export function countOf(items: Iterable<unknown>, results: readonly unknown[]): number {
  return Array.isArray(items) ? items.length : results.length
}

/** Maps items one by one, as they are drawn. */
export function* mapLazily<T, U>(
  items: Iterable<T>,
  map: (item: T, index: number) => U
): Iterable<U> {
  let index = 0

  for (const item of items) {
    yield map(item, index++)
  }
}

/** Returns the lifetime for an entry that has none of its own. */
export function lifetimeOf(entry: StoreEntry, options: OptionalLifetime): OptionalLifetime {
  const { expirationTime, ttl } =
    entry.expirationTime == null && entry.ttl == null ? options : entry
  return { expirationTime, ttl } as OptionalLifetime
}

/** Throws it. */
export function raise(error: unknown): never {
  throw error
}

/** Adds to an error in which of many entries it occurred. */
export function inEntry<T>(index: number, use: () => T): T {
  try {
    return use()
  } catch (error) {
    if (error instanceof Error) {
      error.message = `entry ${index}: ${error.message}`
    }

    throw error
  }
}
