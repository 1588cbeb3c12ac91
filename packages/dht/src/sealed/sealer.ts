import type { Key, SigningKey, Subkey, Value } from '@waggle/record'
import type { KeyOrPlace } from '../operations/call-options.ts'
import { isPlace } from '../operations/read-item.ts'
import { timedValue } from '../operations/timed-value.ts'
import { contentBytes, seal } from './envelope.ts'
import type { HiddenNames } from './hidden-names.ts'
import type { ManyPlace } from './opener.ts'
import type { SealingKeys } from './sealing-keys.ts'

/** A place under a key, as replicas see it, and the key that signs there. */
export interface HiddenPlace {
  readonly subkey?: Subkey
  readonly privateKey?: SigningKey
}

/** A write, as replicas see it. */
export interface HiddenEntry extends HiddenPlace {
  readonly key: Key
  readonly value: Value
}

interface GivenPlace {
  readonly subkey?: Subkey | undefined
  readonly privateKey?: SigningKey | undefined
}

export interface SealerInit {
  readonly keys: SealingKeys
  readonly names: HiddenNames

  /** Whether all keys belong to the members, and not to single peers. */
  readonly isMembersOnly: boolean
}

/** Seals values, and hides their places, before they leave a sealed view. */
export class Sealer {
  readonly #init: SealerInit

  constructor(init: SealerInit) {
    this.#init = init
  }

  /** Seals one write. */
  entry(key: Key, value: unknown, options: GivenPlace): HiddenEntry {
    const { keys, names } = this.#init
    const hidden = names.key(key)
    const place = this.place(key, options)
    // Encoded now: renewals seal the value as stored, even if the caller changes the object meanwhile.
    const content = contentBytes({ subkey: options.subkey, value: value as Value })
    const at = (expirationTime: number): Value =>
      seal(keys, { key: hidden, subkey: place.subkey, expirationTime }, content)
    return { ...place, key: hidden, value: timedValue(at) }
  }

  /** Hides a place under a key. */
  place(key: Key, { subkey, privateKey }: GivenPlace): HiddenPlace {
    const { isMembersOnly, keys, names } = this.#init

    if (isMembersOnly && privateKey !== undefined) {
      throw new TypeError(
        `privateKey: members sign with the key of their secret; use sealed(secret, { writers: 'anybody' }) for places of single peers`
      )
    }

    return {
      ...(subkey !== undefined && { subkey: names.subkey(key, subkey) }),
      ...(isMembersOnly ? { privateKey: keys.privateKey } : privateKey && { privateKey })
    }
  }

  /** Hides one item of `getMany`. */
  item(given: KeyOrPlace): ManyPlace {
    const { names } = this.#init

    if (!isPlace(given)) {
      return { open: { key: given }, hidden: names.key(given) }
    }

    // The rest are options that do not exist.
    const { key, subkey, ...rest } = given
    const hidden = { ...rest, key: names.key(key), subkey: names.subkey(key, subkey) }
    return { open: { key, subkey }, hidden }
  }
}
