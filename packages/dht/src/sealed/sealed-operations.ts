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
  PlaceOptions,
  StoreEntry,
  StoreManyOptions,
  StoreOptions
} from '../operations/call-options.ts'
import { timedValue } from '../operations/timed-value.ts'
import { assertFunction, assertOptions, assertThat, type OptionTable } from '../option-checks.ts'
import type { CallOptions } from '../timing/calls.ts'
import { contentBytes, open, seal } from './envelope.ts'
import { HiddenNames } from './hidden-names.ts'
import { type SealingKeys, sealingKeys } from './sealing-keys.ts'

/** Something found in a sealed view that does not open: it was not written with the secret. It counts as not there. */
export interface Unopened {
  /** The key as its readers know it. */
  readonly key: Key

  /** The hidden subkey, as replicas see it; undefined for a plain value. */
  readonly subkey: Subkey | undefined
}

/** Options of a sealed view. */
export interface SealedOptions {
  /**
   * With `'members'`, all keys belong to a key pair made of the secret: strangers can write nothing, and each member
   * can replace what another wrote. With `'anybody'`, places belong to whom their names say, so that members can own
   * subkeys; strangers can add noise elsewhere, which readers leave out.
   *
   * @default 'members'
   */
  readonly writers?: 'members' | 'anybody' | undefined

  /** Called with each entry that was found and does not open. */
  readonly onMisfit?: ((unopened: Unopened) => void) | undefined
}

const OPTIONS: OptionTable<SealedOptions> = {
  writers: { assert: assertWriters },
  onMisfit: { assert: assertFunction }
}

type OpenPlace = Place<Subkey | undefined, Value>

/** Operations on what only those see who have a secret, over the operations of a DHT. */
export class SealedOperations implements BaseOperations {
  readonly #base: BaseOperations
  readonly #options: SealedOptions
  readonly #keys: SealingKeys
  readonly #names: HiddenNames

  /**
   * @throws TypeError for a secret that is none, or an option that is wrong
   */
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

  async store(key: Key, value: Value, options: StoreOptions): Promise<boolean> {
    const { key: hidden, value: sealed, ...hiddenPlace } = this.#entry(key, value, options)
    return this.#base.store(hidden, sealed, { ...options, ...hiddenPlace })
  }

  async get(key: Key, options?: GetOptions): Promise<Found | undefined> {
    return this.#open(key, await this.#base.get(this.#names.key(key), options))
  }

  async delete(key: Key, options: DeleteOptions): Promise<boolean> {
    return this.#base.delete(this.#names.key(key), { ...options, ...this.#place(key, options) })
  }

  stopRepublishing(key: Key, options: PlaceOptions = {}): boolean {
    const { subkey } = this.#place(key, options)
    return this.#base.stopRepublishing(this.#names.key(key), { ...options, subkey })
  }

  async storeMany(entries: Iterable<StoreEntry>, options?: StoreManyOptions): Promise<boolean[]> {
    const hide = (entry: StoreEntry): StoreEntry => ({
      ...entry,
      ...this.#entry(entry.key, entry.value, { ...options, ...entry })
    })
    return this.#base.storeMany(mapMany(entries, hide), options)
  }

  async getMany(keys: Iterable<Key>, options: GetManyOptions = {}): Promise<(Found | undefined)[]> {
    const names: Key[] = []
    const { onProgress } = options
    const hidden = mapMany(keys, (key) => {
      names.push(key)
      return this.#names.key(key)
    })
    const nameOf = (index: number): Key => names[index] as Key
    const found = await this.#base.getMany(hidden, {
      ...options,
      ...(onProgress && {
        onProgress: (event) => onProgress(this.#openEvent(event, nameOf(event.index)))
      })
    })
    return found.map((each, index) => this.#open(nameOf(index), each))
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

  /** What one write becomes for replicas. */
  #entry(
    key: Key,
    value: Value,
    options: { readonly subkey?: Subkey | undefined; readonly privateKey?: SigningKey | undefined }
  ): HiddenEntry {
    const { subkey } = options
    const hidden = this.#names.key(key)
    const place = this.#place(key, options)
    // Encoded now: renewals seal what was stored, whatever the caller does to the object meanwhile.
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

  /** Whether a subkey belongs where it was found: a member could put it elsewhere. */
  #isAt(key: Key, subkey: Subkey | undefined, hidden: Subkey | undefined): boolean {
    return subkey === undefined
      ? hidden === undefined
      : placeName(this.#names.subkey(key, subkey)) === placeName(hidden)
  }
}

interface HiddenPlace {
  readonly subkey?: Subkey
  readonly privateKey?: SigningKey
}

interface HiddenEntry extends HiddenPlace {
  readonly key: Key
  readonly value: Value
}

/** Maps an array to an array, all of which is checked before any of it is sent, and others one by one. */
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
