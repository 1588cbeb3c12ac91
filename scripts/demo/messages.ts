import type { DHTOptions, Found, Key, StoreOptions, Value } from '@waggle/dht'

/** The commands of a peer. */
export type Ask =
  | { name: 'join'; options: DHTOptions }
  | { name: 'store'; key: Key; value: Value; options: StoreOptions }
  | { name: 'get'; key: Key }
  | { name: 'leave' }

/** The result of each command. */
export interface Results {
  join: string
  store: boolean
  get: Found | undefined
  leave: undefined
}

/** A command from the narrator to a peer. */
export interface Question {
  readonly id: number
  readonly ask: Ask
}

/** A result from a peer to the narrator. */
export interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}
