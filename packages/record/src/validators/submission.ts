import { UNLIMITED } from '../constants.ts'
import type { DHTTime, Entry, Key, Subkey, SubkeyId, Value } from '../interface.ts'
import { parseRecordKey, parseSubkeyId } from '../key.ts'
import { ownerOf } from '../owner.ts'
import { decodeValue } from '../value.ts'
import type { Submission } from './interface.ts'

/** An entry as validators see it. Decoded as they look at it: most look at keys of their own only. */
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
    return ownerOf(this.#key, this.#id)?.id
  }
}
