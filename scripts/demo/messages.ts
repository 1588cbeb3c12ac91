import type { DHTOptions, Found, Key, StoreOptions, Value } from '@waggle/dht'

/** What a peer can be asked to do. */
export type Ask =
  | { name: 'join'; options: DHTOptions }
  | { name: 'store'; key: Key; value: Value; options: StoreOptions }
  | { name: 'get'; key: Key }
  | { name: 'leave' }

/** What each of them answers. */
export interface Results {
  join: string
  store: boolean
  get: Found | undefined
  leave: undefined
}

/** From the storyteller to a peer. */
export interface Question {
  readonly id: number
  readonly ask: Ask
}

/** From a peer to the storyteller. */
export interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}
