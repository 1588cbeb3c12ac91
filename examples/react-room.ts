/** Who is in a room, as a React component. Any renderer shows it; `presence-react.ts` uses Ink, which renders to a terminal. */
import type { Found, Subkey, Value, Watch } from '@waggle/dht'
import { Text } from 'ink'
import { createElement, type ReactElement, useSyncExternalStore } from 'react'

/** Returns what a watch knows, and renders again with each change. Undefined: nothing is known yet. */
export function useWatch<T, K, V>(watch: Watch<T, K, V>): T | undefined {
  return useSyncExternalStore(watch.subscribe, () => watch.current)
}

export interface RoomProps {
  readonly watch: Watch<Found | undefined, Subkey | undefined, Value>
}

/** Lists the subkeys of a dictionary. */
export function Room({ watch }: RoomProps): ReactElement {
  const found = useWatch(watch)
  const people = found?.value instanceof Map ? [...found.value.keys()].map(String) : []
  return createElement(Text, {}, `here: ${people.toSorted().join(', ') || 'nobody'}`)
}
