import type { MaybePromise, Verdict } from '@waggle/record'

/** One entry as Hivemind's validators see it: bytes, and the place of the key instead of the key. */
export interface HivemindSubmission {
  /** SHA-1 of the key. */
  readonly key: Uint8Array

  /** MessagePack of the subkey; of null where there is none. */
  readonly subkey: Uint8Array

  /** MessagePack of the value. */
  readonly value: Uint8Array

  /** DHT time, seconds. */
  readonly expirationTime: number
}

/**
 * A rule of an application's own for what may be stored: Hivemind's RecordValidatorBase. It counts
 * for this node as a replica, as a reader and as a writer. It sees values without RSA signatures.
 */
export interface HivemindValidator {
  /** For the messages that say who has refused something. */
  readonly name?: string | undefined

  /** Accepts or refuses an entry. What it throws refuses, too. */
  validate?(submission: HivemindSubmission): MaybePromise<Verdict>

  /** Changes a value before this node stores it, such as by adding a signature. */
  sign?(submission: HivemindSubmission): MaybePromise<Uint8Array>
}

/** MessagePack of null, which stands for no subkey. */
export const NO_SUBKEY: Uint8Array = Uint8Array.of(0xc0)
