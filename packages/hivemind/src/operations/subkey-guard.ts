import { bytesOf } from '../bytes/latin1.ts'
import { kindOf, pythonName } from '../keys/python-name.ts'
import { decodeValue } from '../msgpack/msgpack-reader.ts'
import { BoundedMap } from '../waggle-parts.ts'

/** Writes remembered. */
const MAX_REMEMBERED = 4096

/**
 * Remembers subkeys that this node has written recently, and refuses others that Python would take for the same, or
 * could not sort together with them.
 */
export class SubkeyGuard {
  /** The bytes of a subkey by its key and its name in Python. */
  readonly #names = new BoundedMap<string, string>({ maxSize: MAX_REMEMBERED })

  /** The kind of the subkeys by their key and expiration. */
  readonly #kinds = new BoundedMap<string, string>({ maxSize: MAX_REMEMBERED })

  /**
   * Remembers a subkey.
   *
   * @throws TypeError
   */
  check(key: string, subkey: string, expirationTime: number): void {
    const bytes = bytesOf(subkey)
    const name = `${key}${pythonName(bytes)}`
    const moment = `${key}${expirationTime}`
    const kind = kindOf(decodeValue(bytes))
    const knownKind = this.#kinds.get(moment) ?? kind

    if ((this.#names.get(name) ?? subkey) !== subkey) {
      throw new TypeError(
        'subkey: Python takes 0, 0.0 and False for one subkey, and another of these was stored under this key'
      )
    }

    if (knownKind !== kind) {
      throw new TypeError(
        `subkey: Python cannot read a dictionary in which a ${kind} and a ${knownKind} expire at the same moment: store them with different expirations`
      )
    }

    this.#names.set(name, subkey)
    this.#kinds.set(moment, kind)
  }
}
