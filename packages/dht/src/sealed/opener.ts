import type { Found, Key, Subkey, Value } from '@waggle/record'
import { encodeValue, UNLIMITED } from '@waggle/record/replica'
import { equals } from 'uint8arrays/equals'
import { NotReadError, TimeoutError } from '../errors.ts'
import { foundOf, placesOf, subkeyName } from '../live/found-places.ts'
import type { FoundPlace } from '../live/places.ts'
import { tell } from '../live/tell.ts'
import type { GetProgressEvent, KeyOrPlace } from '../operations/call-options.ts'
import { isPlace } from '../operations/read-item.ts'
import { NotStoredError, type Result } from '../operations/store-report.ts'
import { open } from './envelope.ts'
import type { HiddenNames } from './hidden-names.ts'
import type { SealingKeys } from './sealing-keys.ts'

/**
 * An entry in a sealed view that does not open, because it was not written with the secret. It counts as absent.
 */
export interface Unopened {
  /** The key, as members see it. */
  readonly key: Key

  /** The hidden subkey, as replicas see it; undefined for a plain value. */
  readonly subkey: Subkey | undefined
}

export type OpenPlace = FoundPlace<Subkey | undefined, Value>

/** The key of a write, and its hidden subkey. */
export interface OpenEntry {
  readonly key: Key
  readonly subkey?: Subkey | undefined
}

/** One item of `getMany`, as members and as replicas see it. */
export interface ManyPlace {
  readonly open: { readonly key: Key; readonly subkey?: Subkey }
  readonly hidden: KeyOrPlace
}

export interface OpenerInit {
  readonly keys: SealingKeys
  readonly names: HiddenNames

  /** Whether owners are individual peers: a key that all members share does not identify the writer. */
  readonly areOwnersShown: boolean

  /** Called with each entry that does not open. */
  readonly onMisfit: ((unopened: Unopened) => void) | undefined

  /** Counts an entry that does not open. */
  readonly countMisfit: () => void
}

/** Opens the results of a sealed view. */
export class Opener {
  readonly #init: OpenerInit

  constructor(init: OpenerInit) {
    this.#init = init
  }

  /** Opens the entries in a report that beat a write. Leaves an entry sealed if it does not open. */
  result<R extends boolean>({ key, subkey }: OpenEntry, result: Result<R>): Result<R> {
    const { by } = Object(result) as { readonly by?: Found | 'a deletion' }

    if (by === undefined || by === 'a deletion') {
      return result
    }

    const opened = this.#isOfKey(key, by)
      ? this.found(key, by)
      : this.entry({ key, subkey }, by as Found<Value>)
    return { ...(result as object), by: opened ?? by } as Result<R>
  }

  /** Opens the result of a key, and leaves out entries that do not open. */
  found(key: Key, found: Found | undefined): Found | undefined {
    const hidden = this.#init.names.key(key)
    const opened = Array.from(placesOf(found).values(), (place) =>
      this.place({ key, hidden }, place)
    ).filter((place) => place !== undefined)
    return foundOf(new Map(opened.map((place) => [subkeyName(place.subkey), place])))
  }

  /** Opens the result of one hidden subkey. */
  entry({ key, subkey }: OpenEntry, found: Found<Value> | undefined): Found<Value> | undefined {
    const at = { key, hidden: this.#init.names.key(key) }
    return found && this.place(at, { subkey, found })?.found
  }

  /** Opens the result of one item of `getMany`. */
  item({ open, hidden }: ManyPlace, found: Found | undefined): Found | undefined {
    const subkey = isPlace(hidden) ? hidden.subkey : undefined
    return subkey === undefined
      ? this.found(open.key, found)
      : this.entry({ key: open.key, subkey }, found as Found<Value> | undefined)
  }

  /** Opens a progress event of one item. */
  event({ index, ...event }: GetProgressEvent, place: ManyPlace): GetProgressEvent {
    const at = { index, ...place.open }

    if (event.name !== 'found') {
      return { ...event, ...at }
    }

    const found = this.item(place, event.found)
    return found === undefined ? { name: 'not-found', ...at } : { ...event, ...at, found }
  }

  /** Opens one place. Keeps the object `before` if the value is equal. */
  place(
    { key, hidden }: { readonly key: Key; readonly hidden: Key },
    { subkey, found }: OpenPlace,
    before?: OpenPlace
  ): OpenPlace | undefined {
    const { expirationTime } = found
    const content = open(this.#init.keys, { key: hidden, subkey, expirationTime }, found.value)

    if (content === undefined || !this.#isAt(key, content.subkey, subkey)) {
      this.#init.countMisfit()
      tell(this.#init.onMisfit, { key, subkey })
      return undefined
    }

    const isSame = before !== undefined && isEqual(before.found.value, content.value)
    const value = isSame ? before.found.value : content.value
    const { owner, ...shown } = found
    const isShown = this.#init.areOwnersShown && owner !== undefined
    return { subkey: content.subkey, found: { ...shown, value, ...(isShown && { owner }) } }
  }

  /** Whether what beats a write is a dictionary or the key's plain value, which beats subkeys, too (R4). */
  #isOfKey(key: Key, { value, expirationTime }: Found): boolean {
    const place = { key: this.#init.names.key(key), subkey: undefined, expirationTime }
    return value instanceof Map || open(this.#init.keys, place, value as Value) !== undefined
  }

  /** Whether a subkey belongs to the place at which it was found: a member could have copied it elsewhere. */
  #isAt(key: Key, subkey: Subkey | undefined, hidden: Subkey | undefined): boolean {
    return subkey === undefined
      ? hidden === undefined
      : subkeyName(this.#init.names.subkey(key, subkey)) === subkeyName(hidden)
  }
}

/** Opens the reports that an error of `storeMany` carries. */
export function openReports(
  error: unknown,
  open: <T extends boolean>(result: Result<T>, index: number) => Result<T>
): unknown {
  if (error instanceof NotStoredError) {
    return Object.assign(error, { reports: error.reports.map(open<true>) })
  }

  return openResults(error, (i, result) => open(result as Result<boolean>, i))
}

/** Opens the results in an error of `getMany`. */
export function openFailure(
  error: unknown,
  open: (index: number, found: Found | undefined) => Found | undefined
): unknown {
  return openResults(error, (i, found) => open(i, found as Found | undefined))
}

function openResults(error: unknown, open: (index: number, result: unknown) => unknown): unknown {
  if (!(error instanceof NotReadError || error instanceof TimeoutError)) {
    return error
  }

  const results = error.results?.map((result, i) =>
    result.status === 'fulfilled' ? { ...result, value: open(i, result.value) } : result
  )
  return Object.assign(error, { results })
}

function isEqual(a: Value, b: Value): boolean {
  return a === b || equals(encodeValue(a, UNLIMITED), encodeValue(b, UNLIMITED))
}
