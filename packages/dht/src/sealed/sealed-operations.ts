import type { PeerId } from '@libp2p/interface'
import {
  type Found,
  type Key,
  ownerTag,
  type SigningKey,
  type Subkey,
  type Value
} from '@waggle/record'
import { encodeValue, UNLIMITED } from '@waggle/record/replica'
import { equals } from 'uint8arrays/equals'
import { NotReadError, TimeoutError } from '../errors.ts'
import type { Inspection } from '../inspection/inspection.ts'
import { foundOf, mapSource, placeName, placesOf } from '../live/places.ts'
import type { Place, StateSource } from '../live/state.ts'
import { tell } from '../live/tell.ts'
import type { Watch, WatchOptions } from '../live/watch.ts'
import type { BaseOperations } from '../operations/base-operations.ts'
import type {
  DeleteOptions,
  FindNearestPeersOptions,
  GetManyOptions,
  GetOptions,
  GetProgressEvent,
  StoreEntry,
  StoreManyOptions,
  StoreOptions
} from '../operations/call-options.ts'
import { MappedPublication } from '../operations/mapped-publication.ts'
import type { Publication, PublishOptions } from '../operations/publication.ts'
import type { Report, Result } from '../operations/store-report.ts'
import { timedValue } from '../operations/timed-value.ts'
import { assertFunction, assertOptions, assertThat, type OptionTable } from '../option-checks.ts'
import type { CallOptions } from '../timing/calls.ts'
import { contentBytes, open, seal } from './envelope.ts'
import { HiddenNames } from './hidden-names.ts'
import { type SealingKeys, sealingKeys } from './sealing-keys.ts'

/**
 * An entry in a sealed view that does not open, because it was not written with the secret. It counts as absent.
 */
export interface Unopened {
  /** The key, as members see it. */
  readonly key: Key

  /** The hidden subkey, as replicas see it; undefined for a plain value. */
  readonly subkey: Subkey | undefined
}

/** Options of a sealed view. */
export interface SealedOptions {
  /**
   * With `'members'`, all keys belong to a key pair derived from the secret: only members can write, and each can
   * replace others' entries. With `'anybody'`, owner tags in keys and subkeys determine the owners, so that members
   * can own subkeys; strangers can add entries elsewhere, which readers ignore.
   *
   * @default 'members'
   */
  readonly writers?: 'members' | 'anybody' | undefined

  /** Called with each entry that does not open. */
  readonly onMisfit?: ((unopened: Unopened) => void) | undefined
}

const OPTIONS: OptionTable<SealedOptions> = {
  writers: { assert: assertWriters },
  onMisfit: { assert: assertFunction }
}

type OpenPlace = Place<Subkey | undefined, Value>

/** Operations of a sealed view, over the operations of a DHT. */
export class SealedOperations implements BaseOperations {
  readonly #base: BaseOperations
  readonly #options: SealedOptions
  readonly #keys: SealingKeys
  readonly #names: HiddenNames

  /** @throws TypeError for an invalid secret or option */
  constructor(base: BaseOperations, secret: Uint8Array, options: SealedOptions = {}) {
    assertOptions('sealed', options, OPTIONS)
    const { writers = 'members' } = options
    this.#base = base
    this.#options = options
    this.#keys = sealingKeys(secret, base.network)
    this.#names = new HiddenNames({
      names: this.#keys.names,
      membersTag: writers === 'members' ? ownerTag(this.#keys.privateKey.publicKey) : undefined
    })
  }

  get peerId(): PeerId {
    return this.#base.peerId
  }

  get network(): string {
    return this.#base.network
  }

  countMisfit(): void {
    this.#base.countMisfit()
  }

  async store<R extends boolean = false>(
    key: Key,
    value: Value,
    options: StoreOptions & Report<R>
  ): Promise<Result<R>> {
    const { key: hidden, value: sealed, ...hiddenPlace } = this.#entry(key, value, options)
    const result = await this.#base.store(hidden, sealed, { ...options, ...hiddenPlace })
    return this.#openResult({ key, subkey: hiddenPlace.subkey }, result)
  }

  async get(key: Key, options?: GetOptions): Promise<Found | undefined> {
    return this.#open(key, await this.#base.get(this.#names.key(key), options))
  }

  async delete<R extends boolean = false>(
    key: Key,
    options: DeleteOptions & Report<R> = {}
  ): Promise<Result<R>> {
    const place = this.#place(key, options)
    const result = await this.#base.delete(this.#names.key(key), { ...options, ...place })
    return this.#openResult({ key, subkey: place.subkey }, result)
  }

  publish(key: Key, value: Value, options: PublishOptions): Publication {
    const hide = (value: Value): HiddenEntry => this.#entry(key, value, options)
    const { key: hidden, value: sealed, ...place } = hide(value)
    const inner = this.#base.publish(hidden, sealed, { ...options, ...place })
    const { subkey } = options
    return new MappedPublication({ inner, key, subkey, value, map: (value) => hide(value).value })
  }

  close(): Promise<void> {
    return this.#base.close()
  }

  async storeMany<R extends boolean = false>(
    entries: Iterable<StoreEntry>,
    options?: StoreManyOptions & Report<R>
  ): Promise<Result<R>[]> {
    const places: OpenEntry[] = []
    const hide = (entry: StoreEntry): StoreEntry => {
      const hidden = this.#entry(entry.key, entry.value, { ...options, ...entry })
      places.push({ key: entry.key, subkey: hidden.subkey })
      return { ...entry, ...hidden }
    }
    const results = await this.#base.storeMany(mapMany(entries, hide), options)
    return results.map((result, i) => this.#openResult(places[i] as OpenEntry, result))
  }

  async getMany(keys: Iterable<Key>, options: GetManyOptions = {}): Promise<(Found | undefined)[]> {
    const names: Key[] = []
    const { onProgress } = options
    const hidden = mapMany(keys, (key) => {
      names.push(key)
      return this.#names.key(key)
    })
    const nameOf = (index: number): Key => names[index] as Key
    const opening = (index: number, found: Found | undefined): Found | undefined =>
      this.#open(nameOf(index), found)

    try {
      const found = await this.#base.getMany(hidden, {
        ...options,
        ...(onProgress && {
          onProgress: (event) => onProgress(this.#openEvent(event, nameOf(event.index)))
        })
      })
      return found.map((each, index) => opening(index, each))
    } catch (error) {
      throw openFailure(error, opening)
    }
  }

  watch<R extends boolean = false>(
    key: Key,
    options?: WatchOptions<R>
  ): Watch<Found | undefined, Subkey | undefined, Value, R> {
    return this.watchStates(this.states(key), options)
  }

  async inspect(key: Key, options?: CallOptions): Promise<Inspection> {
    const inspection = await this.#base.inspect(this.#names.key(key), options)
    return { ...inspection, found: this.#open(key, inspection.found) }
  }

  async findNearestPeers(key: Key, options?: FindNearestPeersOptions): Promise<PeerId[]> {
    return this.#base.findNearestPeers(this.#names.key(key), options)
  }

  states(key: Key): StateSource<Found | undefined, Subkey | undefined, Value> {
    const hidden = this.#names.key(key)
    return mapSource(
      this.#base.states(hidden),
      (place, before) => this.#openPlace({ key, hidden }, place, before),
      foundOf
    )
  }

  watchStates<T, K, V, R extends boolean>(
    source: StateSource<T, K, V>,
    options: WatchOptions<R> | undefined
  ): Watch<T, K, V, R> {
    return this.#base.watchStates(source, options)
  }

  /** Seals one write for replicas. */
  #entry(
    key: Key,
    value: Value,
    options: { readonly subkey?: Subkey | undefined; readonly privateKey?: SigningKey | undefined }
  ): HiddenEntry {
    const { subkey } = options
    const hidden = this.#names.key(key)
    const place = this.#place(key, options)
    // Encoded now: renewals seal the value as stored, even if the caller changes the object meanwhile.
    const content = contentBytes({ subkey, value })
    const at = (expirationTime: number): Value =>
      seal(this.#keys, { key: hidden, subkey: place.subkey, expirationTime }, content)
    return { ...place, key: hidden, value: timedValue(at) }
  }

  #place(
    key: Key,
    { subkey, privateKey }: { subkey?: Subkey | undefined; privateKey?: SigningKey | undefined }
  ): HiddenPlace {
    const isMembers = this.#options.writers !== 'anybody'

    if (isMembers && privateKey !== undefined) {
      throw new TypeError(
        `privateKey: members sign with the key of their secret; use sealed(secret, { writers: 'anybody' }) for places of single peers`
      )
    }

    return {
      ...(subkey !== undefined && { subkey: this.#names.subkey(key, subkey) }),
      ...(isMembers ? { privateKey: this.#keys.privateKey } : privateKey && { privateKey })
    }
  }

  /** Opens the entries in a report that beat a write. Leaves an entry sealed if it does not open. */
  #openResult<R extends boolean>({ key, subkey }: OpenEntry, result: Result<R>): Result<R> {
    const { by } = Object(result) as { readonly by?: Found | 'a deletion' }

    if (by === undefined || by === 'a deletion') {
      return result
    }

    const found = by as Found<Value>
    const isDictionary = by.value instanceof Map
    const opened =
      isDictionary || subkey === undefined
        ? this.#open(key, by)
        : this.#openPlace({ key, hidden: this.#names.key(key) }, { subkey, found })?.found
    return { ...(result as object), by: opened ?? by } as Result<R>
  }

  #open(key: Key, found: Found | undefined): Found | undefined {
    const hidden = this.#names.key(key)
    const opened = Array.from(placesOf(found).values(), (place) =>
      this.#openPlace({ key, hidden }, place)
    ).filter((place) => place !== undefined)
    return foundOf(new Map(opened.map((place) => [placeName(place.subkey), place])))
  }

  #openEvent(event: GetProgressEvent, key: Key): GetProgressEvent {
    if (event.name !== 'found') {
      return { ...event, key }
    }

    const found = this.#open(key, event.found)
    return found === undefined
      ? { name: 'not-found', index: event.index, key }
      : { ...event, key, found }
  }

  #openPlace(
    { key, hidden }: { readonly key: Key; readonly hidden: Key },
    { subkey, found }: OpenPlace,
    before?: OpenPlace
  ): OpenPlace | undefined {
    const { expirationTime } = found
    const content = open(this.#keys, { key: hidden, subkey, expirationTime }, found.value)

    if (content === undefined || !this.#isAt(key, content.subkey, subkey)) {
      this.#base.countMisfit()
      tell(this.#options.onMisfit, { key, subkey })
      return undefined
    }

    const isSame = before !== undefined && isEqual(before.found.value, content.value)
    const value = isSame ? before.found.value : content.value
    return { subkey: content.subkey, found: { ...found, value } }
  }

  /** Whether a subkey belongs to the place at which it was found: a member could have copied it elsewhere. */
  #isAt(key: Key, subkey: Subkey | undefined, hidden: Subkey | undefined): boolean {
    return subkey === undefined
      ? hidden === undefined
      : placeName(this.#names.subkey(key, subkey)) === placeName(hidden)
  }
}

/** Opens the results in an error of `getMany`. */
function openFailure(
  error: unknown,
  open: (index: number, found: Found | undefined) => Found | undefined
): unknown {
  if (!(error instanceof NotReadError || error instanceof TimeoutError)) {
    return error
  }

  const results = error.results?.map((result, i) =>
    result.status === 'fulfilled'
      ? { ...result, value: open(i, result.value as Found | undefined) }
      : result
  )
  return Object.assign(error, { results })
}

/** The key of a write, and its hidden subkey. */
interface OpenEntry {
  readonly key: Key
  readonly subkey?: Subkey | undefined
}

interface HiddenPlace {
  readonly subkey?: Subkey
  readonly privateKey?: SigningKey
}

interface HiddenEntry extends HiddenPlace {
  readonly key: Key
  readonly value: Value
}

/**
 * Maps an array to an array, all of which is checked before any of it is sent; other iterables are mapped one by
 * one.
 */
function mapMany<T, U>(items: Iterable<T>, map: (item: T) => U): Iterable<U> {
  return Array.isArray(items) ? items.map(map) : mapLazily(items, map)
}

function* mapLazily<T, U>(items: Iterable<T>, map: (item: T) => U): Iterable<U> {
  for (const item of items) {
    yield map(item)
  }
}

function isEqual(a: Value, b: Value): boolean {
  return a === b || equals(encodeValue(a, UNLIMITED), encodeValue(b, UNLIMITED))
}

function assertWriters(value: unknown, option: string): void {
  assertThat(value === 'members' || value === 'anybody', option, `'members' or 'anybody'`, value)
}
