import { bytesOf } from '../bytes/latin1.ts'
import { kindOf, pythonName } from '../keys/python-name.ts'
import { decodeValue } from '../msgpack/msgpack-reader.ts'
import {
  type HivemindEntry,
  type HivemindRecord,
  latestExpiration,
  recordOf,
  type SubkeyText
} from '../record/record.ts'
import type { HivemindWrite } from '../record/write.ts'
import { entryBytes, type HivemindLimits } from './limits.ts'

/** Names of subkeys that have several encodings, by their entries: finding one takes longer than all other rules. */
const names = new WeakMap<HivemindEntry, string>()

/** Entries that expire at the same moment. Python can compare their subkeys, so these are of one kind. */
interface Moment {
  readonly subkey: SubkeyText
  count: number
}

/** An index of a dictionary's entries. */
interface Index {
  bytes: number
  readonly moments: Map<number, Moment>

  /** Subkeys with several encodings, by the names by which Python compares them. */
  readonly places: Map<string, SubkeyText>
}

/**
 * A record while writes are applied to it as a Hivemind replica does: the later expiration wins, and the first of two
 * equal ones stays. Unlike in Hivemind, a refused write changes nothing. Each write takes about the same time, however
 * many entries there are: dictionaries come from anybody.
 */
export class RecordDraft {
  readonly #held: HivemindRecord
  readonly #limits: HivemindLimits
  #plain: HivemindEntry | undefined
  #subkeys: Map<SubkeyText, HivemindEntry> | undefined
  #index: Index | undefined
  #isChanged = false

  constructor(held: HivemindRecord, limits: HivemindLimits) {
    this.#held = held
    this.#limits = limits
    this.#plain = held.plain
  }

  /** The record with all accepted writes. */
  get record(): HivemindRecord {
    return this.#isChanged ? recordOf(this.#plain, this.#entries) : this.#held
  }

  /** Applies a write. Returns whether it is accepted. */
  apply(write: HivemindWrite): boolean {
    const { subkey, value, expirationTime } = write
    const entry = { value, expirationTime }
    const isAccepted =
      subkey === undefined ? this.#applyPlain(entry) : this.#applySubkey(subkey, entry)
    this.#isChanged ||= isAccepted
    return isAccepted
  }

  get #entries(): ReadonlyMap<SubkeyText, HivemindEntry> {
    return this.#subkeys ?? this.#held.subkeys
  }

  /** Replaces a whole dictionary by a plain value if that expires later than all of it. */
  #applyPlain(entry: HivemindEntry): boolean {
    if (!(entry.expirationTime > latestExpiration(this.record))) {
      return false
    }

    this.#plain = entry
    this.#subkeys = new Map()
    this.#index = undefined
    return true
  }

  /** Compares a subkey's entry with the plain value, or with the entry in its own place. */
  #applySubkey(subkey: SubkeyText, entry: HivemindEntry): boolean {
    const place = this.#placeOf(subkey, entry)
    const known = this.#entries.get(place)
    const rival = this.#plain ?? known

    if (rival !== undefined && !(entry.expirationTime > rival.expirationTime)) {
      return false
    }

    if (!this.#hasRoomFor(place, entry, known) || !this.#isComparable(place, entry)) {
      return false
    }

    this.#put(place, entry, known)
    return true
  }

  #hasRoomFor(place: SubkeyText, { value }: HivemindEntry, known?: HivemindEntry): boolean {
    const { maxRecordBytes, maxSubkeys } = this.#limits
    const bytes = this.#indexed.bytes + entryBytes(place, value) - bytesOfEntry(place, known)
    return bytes <= maxRecordBytes && this.#entries.size + Number(known === undefined) <= maxSubkeys
  }

  /** Python sorts the subkeys of entries that expire at the same moment, and fails if it can't compare them. */
  #isComparable(place: SubkeyText, { expirationTime }: HivemindEntry): boolean {
    const other = this.#indexed.moments.get(expirationTime)?.subkey
    return other === undefined || other === place || kindOfText(other) === kindOfText(place)
  }

  #put(place: SubkeyText, entry: HivemindEntry, known?: HivemindEntry): void {
    const index = this.#indexed
    this.#subkeys ??= new Map(this.#held.subkeys)
    this.#subkeys.set(place, entry)
    this.#plain = undefined
    index.bytes -= bytesOfEntry(place, known)
    count(index, place, entry)
    const moment = known && index.moments.get(known.expirationTime)

    if (known !== undefined && moment !== undefined && --moment.count === 0) {
      index.moments.delete(known.expirationTime)
    }
  }

  get #indexed(): Index {
    this.#index ??= indexOf(this.#entries)
    return this.#index
  }

  /** Finds the subkey that Python considers equal: `0`, `0.0` and `False` are one, and its first form stays. */
  #placeOf(subkey: SubkeyText, entry: HivemindEntry): SubkeyText {
    if (hasOneForm(subkey)) {
      return subkey
    }

    return this.#indexed.places.get(nameOf(subkey, entry)) ?? subkey
  }
}

function indexOf(entries: ReadonlyMap<SubkeyText, HivemindEntry>): Index {
  const index: Index = { bytes: 0, moments: new Map(), places: new Map() }

  for (const [subkey, entry] of entries) {
    count(index, subkey, entry)
  }

  return index
}

function count(index: Index, subkey: SubkeyText, entry: HivemindEntry): void {
  const { moments, places } = index
  const moment = moments.get(entry.expirationTime) ?? { subkey, count: 0 }
  moment.count++
  moments.set(entry.expirationTime, moment)
  index.bytes += entryBytes(subkey, entry.value)

  if (!hasOneForm(subkey)) {
    places.set(nameOf(subkey, entry), subkey)
  }
}

function nameOf(subkey: SubkeyText, entry: HivemindEntry): string {
  const known = names.get(entry)

  if (known !== undefined) {
    return known
  }

  const name = pythonName(bytesOf(subkey))
  // Most are equal, and one text takes less memory than two.
  names.set(entry, name === subkey ? subkey : name)
  return name
}

function bytesOfEntry(subkey: SubkeyText, entry: HivemindEntry | undefined): number {
  return entry === undefined ? 0 : entryBytes(subkey, entry.value)
}

function kindOfText(subkey: SubkeyText): string {
  return kindOf(decodeValue(bytesOf(subkey)))
}

/** Whether a subkey has only one encoding, as most do: they are short strings. */
function hasOneForm(subkey: SubkeyText): boolean {
  const first = subkey.charCodeAt(0)
  return first >= 0xa0 && first <= 0xbf
}
