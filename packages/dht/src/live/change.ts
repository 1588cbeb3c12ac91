import type { DHTTime, Found } from '@waggle/record'
import type { PlaceName, Places } from './state.ts'

/**
 * One difference between two states: a value that is new, another one, or gone. Its `subkey` is undefined for a plain
 * value. `renewed`, the same value with a later expiration, is told only to watches with `renewals`.
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

/** Lists what differs: first what is gone, in the order of `before`, then the rest in the order of `after`. */
export function changesBetween<K, V>(
  before: Places<K, V>,
  after: Places<K, V>,
  reasonOf: (name: PlaceName, before: Found<V>) => RemovalReason
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
