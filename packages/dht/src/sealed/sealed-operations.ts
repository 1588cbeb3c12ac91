import type { PeerId } from '@libp2p/interface'
import { type Found, type Key, ownerTag, type Subkey, type Value } from '@waggle/record'
import type { Inspection } from '../inspection/inspection.ts'
import { foundOf, mapSource } from '../live/found-places.ts'
import type { FoundPlace } from '../live/places.ts'
import type { StateSource } from '../live/state.ts'
import type { Watch, WatchOptions } from '../live/watch.ts'
import type { BaseOperations } from '../operations/base-operations.ts'
import {
  assertCallOptions,
  assertEntry,
  assertLifetimeOptions,
  assertMany,
  assertPublishOptions
} from '../operations/call-arguments.ts'
import type {
  DeleteOptions,
  FindNearestPeersOptions,
  GetManyOptions,
  GetOptions,
  KeyOrPlace,
  PlaceOptions,
  StoreEntry,
  StoreManyOptions,
  StoreOptions
} from '../operations/call-options.ts'
import { inEntry, mapLazily } from '../operations/entries.ts'
import { MappedPublication } from '../operations/mapped-publication.ts'
import type { Publication, PublishOptions } from '../operations/publication.ts'
import type { Report, Result } from '../operations/store-report.ts'
import { assertFunction, assertOptions, assertThat, type OptionTable } from '../option-checks.ts'
import type { CallOptions } from '../timing/calls.ts'
import { HiddenNames } from './hidden-names.ts'
import {
  type ManyPlace,
  type OpenEntry,
  Opener,
  openFailure,
  openReports,
  type Unopened
} from './opener.ts'
import { type HiddenEntry, Sealer } from './sealer.ts'
import { sealingKeys } from './sealing-keys.ts'

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

/** Operations of a sealed view, over the operations of a DHT. */
export class SealedOperations implements BaseOperations {
  readonly #base: BaseOperations
  readonly #names: HiddenNames
  readonly #sealer: Sealer
  readonly #opener: Opener

  /** @throws TypeError for an invalid secret or option */
  constructor(base: BaseOperations, secret: Uint8Array, options: SealedOptions = {}) {
    assertOptions('sealed', options, OPTIONS)
    const isMembersOnly = options.writers !== 'anybody'
    const keys = sealingKeys(secret, base.network)
    const membersTag = isMembersOnly ? ownerTag(keys.privateKey.publicKey) : undefined
    const names = new HiddenNames({ names: keys.names, membersTag })
    this.#base = base
    this.#names = names
    this.#sealer = new Sealer({ keys, names, isMembersOnly })
    this.#opener = new Opener({
      ...{ keys, names, areOwnersShown: !isMembersOnly, onMisfit: options.onMisfit },
      countMisfit: () => base.countMisfit()
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
    value: unknown,
    options: StoreOptions & Report<R>
  ): Promise<Result<R>> {
    assertLifetimeOptions('store', options)
    const { key: hidden, value: sealed, ...hiddenPlace } = this.#sealer.entry(key, value, options)
    const result = await this.#base.store(hidden, sealed, { ...options, ...hiddenPlace })
    return this.#opener.result({ key, subkey: hiddenPlace.subkey }, result)
  }

  async get<F extends Found = Found>(
    key: Key,
    options: GetOptions & PlaceOptions = {}
  ): Promise<F | undefined> {
    assertCallOptions('get', options)
    const { subkey, ...rest } = options
    const hidden = this.#names.key(key)

    if (subkey === undefined) {
      return this.#opener.found(key, await this.#base.get(hidden, rest)) as F | undefined
    }

    const hiddenSubkey = this.#names.subkey(key, subkey)
    const found = await this.#base.get<Found<Value>>(hidden, { ...rest, subkey: hiddenSubkey })
    return this.#opener.entry({ key, subkey: hiddenSubkey }, found) as F | undefined
  }

  async delete<R extends boolean = false>(
    key: Key,
    options: DeleteOptions & Report<R> = {}
  ): Promise<Result<R>> {
    assertCallOptions('delete', options)
    const place = this.#sealer.place(key, options)
    const result = await this.#base.delete(this.#names.key(key), { ...options, ...place })
    return this.#opener.result({ key, subkey: place.subkey }, result)
  }

  publish(key: Key, value: unknown, options: PublishOptions): Publication {
    assertPublishOptions(options)
    const hide = (value: unknown): HiddenEntry => this.#sealer.entry(key, value, options)
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
    options: StoreManyOptions & Report<R> = {}
  ): Promise<Result<R>[]> {
    assertMany('entries', entries)
    assertCallOptions('storeMany', options)
    const places: OpenEntry[] = []
    const hide = (entry: StoreEntry): StoreEntry => {
      assertEntry(entry)
      const hidden = this.#sealer.entry(entry.key, entry.value, { ...options, ...entry })
      places.push({ key: entry.key, subkey: hidden.subkey })
      return { ...entry, ...hidden }
    }
    const open = <T extends boolean>(result: Result<T>, i: number): Result<T> =>
      this.#opener.result(places[i] as OpenEntry, result)

    try {
      const results = await this.#base.storeMany(hideMany(entries, hide), options)
      return results.map(open)
    } catch (error) {
      throw openReports(error, open)
    }
  }

  async getMany(
    keys: Iterable<KeyOrPlace>,
    options: GetManyOptions = {}
  ): Promise<(Found | undefined)[]> {
    assertMany('keys', keys)
    assertCallOptions('getMany', options)
    const places: ManyPlace[] = []
    const { onProgress } = options
    const hidden = hideMany(keys, (given) => {
      const place = this.#sealer.item(given)
      places.push(place)
      return place.hidden
    })
    const placeAt = (index: number): ManyPlace => places[index] as ManyPlace
    const opening = (index: number, found: Found | undefined): Found | undefined =>
      this.#opener.item(placeAt(index), found)

    try {
      const found = await this.#base.getMany(hidden, {
        ...options,
        ...(onProgress && {
          onProgress: (event) => onProgress(this.#opener.event(event, placeAt(event.index)))
        })
      })
      return found.map((each, index) => opening(index, each))
    } catch (error) {
      throw openFailure(error, opening)
    }
  }

  async inspect(key: Key, options?: CallOptions): Promise<Inspection> {
    const inspection = await this.#base.inspect(this.#names.key(key), options)
    return { ...inspection, found: this.#opener.found(key, inspection.found) }
  }

  async findNearestPeers(key: Key, options?: FindNearestPeersOptions): Promise<PeerId[]> {
    return this.#base.findNearestPeers(this.#names.key(key), options)
  }

  states(key: Key): StateSource<Found | undefined, Subkey | undefined, Value> {
    const hidden = this.#names.key(key)
    return mapSource(
      this.#base.states(hidden),
      (place, before) => this.#opener.place({ key, hidden }, place, before),
      foundOf
    )
  }

  entryStates(key: Key, subkey: Subkey): StateSource<Found<Value> | undefined, Subkey, Value> {
    const hidden = this.#names.key(key)
    return mapSource(
      this.#base.entryStates(hidden, this.#names.subkey(key, subkey)),
      (place, before: FoundPlace<Subkey, Value> | undefined) => {
        const opened = this.#opener.place({ key, hidden }, place, before)
        return opened && { ...opened, subkey }
      },
      (places) => {
        const [place] = places.values()
        return place?.found
      }
    )
  }

  watchStates<T, K, V, R extends boolean>(
    source: StateSource<T, K, V>,
    options: WatchOptions<R> | undefined
  ): Watch<T, K, V, R> {
    return this.#base.watchStates(source, options)
  }
}

/** Hides all items of an array, which checks them before any is sent; those of other iterables one by one. */
function hideMany<T, U>(items: Iterable<T>, hide: (item: T) => U): Iterable<U> {
  const mapAt = (item: T, index: number): U => inEntry(index, () => hide(item))
  return Array.isArray(items) ? items.map(mapAt) : mapLazily(items, mapAt)
}

function assertWriters(value: unknown, option: string): void {
  assertThat(value === 'members' || value === 'anybody', option, `'members' or 'anybody'`, value)
}
