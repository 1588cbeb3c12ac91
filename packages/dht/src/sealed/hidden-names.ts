import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { type Key, ownerTag, recordKey, type Subkey } from '@waggle/record'
import { encodeValue, SEALED, subkeyId, UNLIMITED } from '@waggle/record/replica'
import { placeOwnerId } from '../operations/place-owner-id.ts'

/** Bytes of a subkey's hash, stored with each entry. */
const SUBKEY_BYTES = 16

export interface NamesInit {
  /** Key that hides names. */
  readonly names: Uint8Array

  /** Tag of the members, who own all keys; undefined: tags in keys and subkeys determine their owners. */
  readonly membersTag: string | undefined
}

/** Hides the names of keys and subkeys from peers without the secret. Equal names stay equal. */
export class HiddenNames {
  readonly #init: NamesInit

  constructor(init: NamesInit) {
    this.#init = init
  }

  /** Hides a key. @throws TypeError for anything but a key */
  key(key: Key): Key {
    recordKey(key, UNLIMITED)
    const { membersTag } = this.#init
    const tag = membersTag ?? tagOf(placeOwnerId(key, undefined))
    const hidden = this.#hash(['key', key])
    return tag === undefined ? [SEALED, hidden] : [SEALED, tag, hidden]
  }

  /**
   * Hides a subkey. Its hidden names under different keys are unrelated.
   *
   * @throws TypeError for anything but a subkey
   */
  subkey(key: Key, subkey: Subkey): Subkey {
    subkeyId(subkey, UNLIMITED)
    const { membersTag } = this.#init
    const tag = membersTag === undefined ? tagOf(placeOwnerId(key, subkey)) : undefined
    const hidden = this.#hash(['subkey', key, subkey]).subarray(0, SUBKEY_BYTES)
    return tag === undefined ? hidden : [tag, hidden]
  }

  #hash(name: Key): Uint8Array {
    return hmac(sha256, this.#init.names, encodeValue(name, UNLIMITED))
  }
}

function tagOf(owner: string | undefined): string | undefined {
  return owner === undefined ? undefined : ownerTag(owner)
}
