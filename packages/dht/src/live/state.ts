import type { DHTTime, MaybePromise } from '@waggle/record'
import type { UnreachableError } from '../errors.ts'
import { type Change, changesBetween, removalReason } from './change.ts'
import type { FoundPlaces } from './places.ts'

/** Whether the servers nearest to a watched key can be reached. */
export type WatchProgressEvent =
  | { name: 'unreachable'; error: UnreachableError }
  | { name: 'reachable' }

/**
 * The values under a key at one moment. Two states of one reader share all objects that are equal: a `Found` that did
 * not change, and the value of one that was only renewed. So comparing states is cheap at every layer.
 */
export interface State<T, K, V> {
  /** The result that users get. */
  readonly current: T
  readonly places: FoundPlaces<K, V>

  /** How it differs from an earlier state, for the readers who had that one. */
  readonly step?: { readonly from: FoundPlaces<K, V>; readonly changes: Changes<K, V> }
}

export type Changes<K, V> = readonly Change<K, V, true>[]

/** Lists the differences between two states; an entry that is gone was there until now. */
export function changesTo<T, K, V>(
  { places, step }: State<T, K, V>,
  before: FoundPlaces<K, V>,
  clock: () => DHTTime
): Changes<K, V> {
  return step?.from === before
    ? step.changes
    : changesBetween(before, places, (_, found) => removalReason(found, clock()))
}

/** The callbacks of a follower of states. */
export interface StateListener {
  /** The next reading may give another state. */
  readonly onChange: () => void
  readonly onProgress?: ((event: WatchProgressEvent) => void) | undefined
}

/** States that come one after the other. */
export interface StateSource<T, K, V> {
  /** Begins to follow them. */
  open(listener: StateListener): StateReader<T, K, V>
}

export interface StateReader<T, K, V> {
  /** Reads the present state. Undefined: too little is known yet. One reading at a time. */
  read(): MaybePromise<State<T, K, V> | undefined>
  close(): void
}

/** Returns a source whose states are made of another's, each time by a function that may remember the last ones. */
export function mapStates<T, K, V, T2, K2, V2>(
  source: StateSource<T, K, V>,
  mapping: () => (state: State<T, K, V>) => MaybePromise<State<T2, K2, V2>>
): StateSource<T2, K2, V2> {
  return {
    open(listener) {
      const reader = source.open(listener)
      const map = mapping()
      let read: State<T, K, V> | undefined
      let mapped: State<T2, K2, V2> | undefined

      return {
        read: async () => {
          const state = await reader.read()

          if (state !== undefined && state !== read) {
            mapped = await map(state)
            read = state
          }

          return mapped
        },
        close: () => reader.close()
      }
    }
  }
}
