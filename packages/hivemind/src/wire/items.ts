/** One item of a store request. */
export interface StoreItem {
  readonly key: Uint8Array

  /** MessagePack of the subkey; null: a plain value; empty: a whole dictionary. */
  readonly subkey: Uint8Array
  readonly value: Uint8Array
  readonly expirationTime: number

  /** Whether the receiver may forget it early. */
  readonly isInCache: boolean
}

/** What a find answers, of all that a key holds. */
export interface FoundBytes {
  readonly isDictionary: boolean
  readonly value: Uint8Array
  readonly expirationTime: number
}
