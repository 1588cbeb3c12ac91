/** The members of a room, as a React component. Any renderer shows it; `../presence-react.ts` uses Ink, which renders to a terminal. */
import type { Found } from '@waggle/dht'
import type { Watch } from '@waggle/dht/handles'
import { Text } from 'ink'
import { createElement, type ReactElement, useSyncExternalStore } from 'react'

/** Returns the present state of a watch, and renders again with each change. Undefined: no state is known yet. */
export function useWatch<T, K, V>(watch: Watch<T, K, V>): T | undefined {
  return useSyncExternalStore(watch.subscribe, () => watch.current)
}

export interface Member {
  readonly name: string
}

export interface RoomProps {
  readonly watch: Watch<ReadonlyMap<string, Found<Member>>, string, Member>
}

/** Lists the members of a presence. */
export function Room({ watch }: RoomProps): ReactElement {
  const members = useWatch(watch)

  if (members === undefined) {
    return createElement(Text, {}, 'looking around')
  }

  const people = Array.from(members.values(), ({ value }) => value.name)
  return createElement(Text, {}, `here: ${people.toSorted().join(', ') || 'nobody'}`)
}
