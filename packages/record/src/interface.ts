/** What can be stored. Numbers exclude NaN; bigints are 64-bit (−2⁶³ to 2⁶⁴−1); objects are plain ones. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [name: string]: Value }

/** What can name a value: as {@link Value}, without objects. `0`, `false`, `''` and `'0'` are four keys. */
export type Key = null | boolean | number | bigint | string | Uint8Array | readonly Key[]

/** What can name a place in a dictionary: the same as a {@link Key}. */
export type Subkey = Key

/** DHT time: Unix seconds as a float. */
export type DHTTime = number

/** One write to one place: a value, or the tombstone that a deletion leaves. */
export interface Entry {
  /** From this moment on the entry counts for nothing (R1). */
  readonly expirationTime: DHTTime

  /** Canonical CBOR of the value. An entry without it is a tombstone. */
  readonly value?: Uint8Array

  /** The owner's, where the place belongs to somebody (R15); absent elsewhere. */
  readonly signature?: Uint8Array
}

/** What one key holds at one replica. Treat as immutable. */
export interface DHTRecord {
  /** The value under the key itself. */
  readonly plain?: Entry

  /** The dictionary, in the order of the subkeys' bytes. */
  readonly subkeys: ReadonlyMap<SubkeyId, Entry>
}

/**
 * A subkey's canonical bytes with one character a byte (Latin-1), so that it can be a Map's key
 * and sorts as the bytes do. Made by `subkeyId`, read by `parseSubkeyId`.
 */
export type SubkeyId = string

/** A live value with the moment until which it is true. */
export interface Found<V = FoundValue> {
  readonly value: V
  readonly expirationTime: DHTTime
}

/** A plain value, or the dictionary that many peers write together. */
export type FoundValue = Value | ReadonlyMap<Subkey, Found<Value>>

/** How large things may be, and how long they may live (R12). */
export interface Limits {
  /** @default DEFAULT_MAX_KEY_BYTES */
  readonly maxKeyBytes: number

  /** @default DEFAULT_MAX_SUBKEY_BYTES */
  readonly maxSubkeyBytes: number

  /** @default DEFAULT_MAX_VALUE_BYTES */
  readonly maxValueBytes: number

  /** @default DEFAULT_MAX_RECORD_BYTES */
  readonly maxRecordBytes: number

  /** @default DEFAULT_MAX_SUBKEYS */
  readonly maxSubkeys: number

  /**
   * Seconds.
   *
   * @default DEFAULT_MAX_TTL
   */
  readonly maxTtl: number
}

/** A peer to whom places belong (R15). */
export interface Owner {
  /** The peer id, in base58. */
  readonly id: string

  /** Its Ed25519 key, 32 bytes. */
  readonly publicKey: Uint8Array
}

/** Checks an Ed25519 signature, as `verifySignature` does. */
export type VerifySignature = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array
) => boolean

/** What signs for an owner: one of libp2p's private keys, or anything like it. */
export interface SigningKey {
  /** Only `'Ed25519'` can sign. */
  readonly type: string
  readonly publicKey: { readonly raw: Uint8Array }
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** Where rules get the time, the limits and the cryptography from. All have defaults. */
export interface RuleOptions {
  /** @default getDHTTime() */
  readonly now?: DHTTime

  /** @default DEFAULT_LIMITS */
  readonly limits?: Limits

  /**
   * Must agree with the default about every signature.
   *
   * @default verifySignature
   */
  readonly verify?: VerifySignature
}
