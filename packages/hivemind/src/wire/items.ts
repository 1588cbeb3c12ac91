/** One item of a store request. */
export interface StoreItem {
  readonly key: Uint8Array

  /** MessagePack of the subkey; of null for a plain value; empty for a whole dictionary. */
  readonly subkey: Uint8Array
  readonly value: Uint8Array
  readonly expirationTime: number

  /** Whether the receiver may evict it early. */
  readonly isInCache: boolean
}

/** A node's record of a key in the response to a find. */
export interface FoundBytes {
  readonly isDictionary: boolean
  readonly value: Uint8Array
  readonly expirationTime: number
}
