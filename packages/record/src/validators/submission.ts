import type { Entry } from '../entry.ts'
import { UNLIMITED } from '../limits.ts'
import { placeOwner } from '../owner/owner.ts'
import type { DHTTime } from '../time.ts'
import { parseRecordKey, parseSubkeyId, type SubkeyId } from '../values/key.ts'
import type { Key, Subkey, Value } from '../values/value.ts'
import { decodeValue } from '../values/value-codec.ts'

/** One entry and its place, as validators see it. */
export interface Submission {
  readonly key: Key

  /** The entry's place in the dictionary. Undefined: under the key itself. */
  readonly subkey: Subkey | undefined

  /** Undefined: a tombstone, which deletes. */
  readonly value: Value | undefined
  readonly expirationTime: DHTTime

  /** The id of the peer that owns the place and has signed the entry. Undefined: no owner. */
  readonly owner: string | undefined
}

/** Shows an entry to validators. Decodes each field when it is read: most validators read only the key. */
export function submissionOf(key: Uint8Array, id: SubkeyId | undefined, entry: Entry): Submission {
  return new EntrySubmission(key, id, entry)
}

class EntrySubmission implements Submission {
  readonly #key: Uint8Array
  readonly #id: SubkeyId | undefined
  readonly #entry: Entry

  constructor(key: Uint8Array, id: SubkeyId | undefined, entry: Entry) {
    this.#key = key
    this.#id = id
    this.#entry = entry
  }

  get key(): Key {
    return parseRecordKey(this.#key, UNLIMITED)
  }

  get subkey(): Subkey | undefined {
    return this.#id === undefined ? undefined : parseSubkeyId(this.#id)
  }

  get value(): Value | undefined {
    const { value } = this.#entry
    return value === undefined ? undefined : decodeValue(value)
  }

  get expirationTime(): DHTTime {
    return this.#entry.expirationTime
  }

  get owner(): string | undefined {
    return placeOwner(this.#key, this.#id)?.id
  }
}
