import type { MaybePromise, Verdict } from '@waggle/record'

/** One entry as Hivemind's validators see it: bytes, with the key's hash instead of the key. */
export interface HivemindSubmission {
  /** SHA-1 of the key. */
  readonly key: Uint8Array

  /** MessagePack of the subkey; MessagePack of null without a subkey. */
  readonly subkey: Uint8Array

  /** MessagePack of the value. */
  readonly value: Uint8Array

  /** DHT time, seconds. */
  readonly expirationTime: number
}

/**
 * An application's own rule for what may be stored: Hivemind's RecordValidatorBase. It applies to this node as a
 * replica, as a reader and as a writer. It sees values without RSA signatures.
 */
export interface HivemindValidator {
  /** Name of the validator in error messages. */
  readonly name?: string | undefined

  /** Accepts or refuses an entry. Throwing refuses it, too. */
  validate?(submission: HivemindSubmission): MaybePromise<Verdict>

  /** Changes a value before this node stores it, such as by adding a signature. */
  sign?(submission: HivemindSubmission): MaybePromise<Uint8Array>
}

/** MessagePack of null, which means no subkey. */
export const NO_SUBKEY: Uint8Array = Uint8Array.of(0xc0)
