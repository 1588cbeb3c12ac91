import type { DHTTime, Found } from '@waggle/record'
import type { FoundPlaces, SubkeyName } from './places.ts'

/**
 * One difference between two states: a value that is new, another one, or gone. Its `subkey` is undefined for a
 * plain value. `renewed`, the same value with a later expiration, is only for watches with `renewals`.
 */
export type Change<K, V, R extends boolean = false> =
  | { readonly type: 'added'; readonly subkey: K; readonly found: Found<V> }
  | {
      readonly type: 'changed'
      readonly subkey: K
      readonly found: Found<V>
      readonly before: Found<V>
    }
  | {
      readonly type: 'removed'
      readonly subkey: K
      readonly before: Found<V>
      readonly reason: RemovalReason
    }
  | (R extends true
      ? {
          readonly type: 'renewed'
          readonly subkey: K
          readonly found: Found<V>
          readonly before: Found<V>
        }
      : never)

/** Why a value is gone: its time was over, or something replaced it before. */
export type RemovalReason = 'deleted' | 'expired'

/** Says why an entry that was there is gone. */
export function removalReason(before: Found<unknown>, now: DHTTime): RemovalReason {
  return before.expirationTime <= now ? 'expired' : 'deleted'
}

/**
 * Lists the differences: first the removed places in the order of `before`, then the others in the order of `after`.
 */
export function changesBetween<K, V>(
  before: FoundPlaces<K, V>,
  after: FoundPlaces<K, V>,
  reasonOf: (name: SubkeyName, before: Found<V>) => RemovalReason
): Change<K, V, true>[] {
  const changes: Change<K, V, true>[] = []

  for (const [name, { subkey, found }] of before) {
    if (!after.has(name)) {
      changes.push({ type: 'removed', subkey, before: found, reason: reasonOf(name, found) })
    }
  }

  for (const [name, { subkey, found }] of after) {
    const earlier = before.get(name)?.found

    if (earlier === undefined) {
      changes.push({ type: 'added', subkey, found })
    } else if (earlier.value !== found.value) {
      changes.push({ type: 'changed', subkey, found, before: earlier })
    } else if (earlier.expirationTime !== found.expirationTime) {
      changes.push({ type: 'renewed', subkey, found, before: earlier })
    }
  }

  return changes
}
