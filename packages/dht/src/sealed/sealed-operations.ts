import type { PeerId } from '@libp2p/interface'
import {
  type Found,
  type Key,
  ownerTag,
  type SigningKey,
  type Subkey,
  type Value
} from '@waggle/record'
import type { Inspection } from '../inspection/inspection.ts'
import { foundOf, mapSource } from '../live/found-places.ts'
import type { FoundPlace, StateSource } from '../live/state.ts'
import type { Watch, WatchOptions } from '../live/watch.ts'
import type { BaseOperations } from '../operations/base-operations.ts'
import {
  assertCallOptions,
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
import { isPlace } from '../operations/read-item.ts'
import type { Report, Result } from '../operations/store-report.ts'
import { timedValue } from '../operations/timed-value.ts'
import { assertFunction, assertOptions, assertThat, type OptionTable } from '../option-checks.ts'
import type { CallOptions } from '../timing/calls.ts'
import { contentBytes, seal } from './envelope.ts'
import { HiddenNames } from './hidden-names.ts'
import {
  type ManyPlace,
  type OpenEntry,
  Opener,
  openFailure,
  openReports,
  type Unopened
} from './opener.ts'
import { type SealingKeys, sealingKeys } from './sealing-keys.ts'

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
  readonly #options: SealedOptions
  readonly #keys: SealingKeys
  readonly #names: HiddenNames
  readonly #opener: Opener

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
    this.#opener = new Opener({
      ...{ keys: this.#keys, names: this.#names, onMisfit: options.onMisfit },
      areOwnersShown: writers === 'anybody',
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
    const { key: hidden, value: sealed, ...hiddenPlace } = this.#entry(key, value, options)
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
    const place = this.#place(key, options)
    const result = await this.#base.delete(this.#names.key(key), { ...options, ...place })
    return this.#opener.result({ key, subkey: place.subkey }, result)
  }

  publish(key: Key, value: unknown, options: PublishOptions): Publication {
    assertPublishOptions(options)
    const hide = (value: unknown): HiddenEntry => this.#entry(key, value, options)
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
      assertCallOptions('entry', entry)
      const hidden = this.#entry(entry.key, entry.value, { ...options, ...entry })
      places.push({ key: entry.key, subkey: hidden.subkey })
      return { ...entry, ...hidden }
    }
    const open = <T extends boolean>(result: Result<T>, i: number): Result<T> =>
      this.#opener.result(places[i] as OpenEntry, result)

    try {
      const results = await this.#base.storeMany(mapMany(entries, hide), options)
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
    const hidden = mapMany(keys, (given) => {
      const place = this.#manyPlace(given)
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

  /** Seals one write for replicas. */
  #entry(
    key: Key,
    value: unknown,
    options: { readonly subkey?: Subkey | undefined; readonly privateKey?: SigningKey | undefined }
  ): HiddenEntry {
    const { subkey } = options
    const hidden = this.#names.key(key)
    const place = this.#place(key, options)
    // Encoded now: renewals seal the value as stored, even if the caller changes the object meanwhile.
    const content = contentBytes({ subkey, value: value as Value })
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

  #manyPlace(given: KeyOrPlace): ManyPlace {
    if (!isPlace(given)) {
      return { open: { key: given }, hidden: this.#names.key(given) }
    }

    // The rest are options that do not exist.
    const { key, subkey, ...rest } = given
    const hidden = { ...rest, key: this.#names.key(key), subkey: this.#names.subkey(key, subkey) }
    return { open: { key, subkey }, hidden }
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

/**
 * Maps an array to an array, all of which is checked before any of it is sent; other iterables are mapped one by
 * one.
 */
function mapMany<T, U>(items: Iterable<T>, map: (item: T) => U): Iterable<U> {
  const mapAt = (item: T, index: number): U => inEntry(index, () => map(item))
  return Array.isArray(items) ? items.map(mapAt) : mapLazily(items, mapAt)
}

function assertWriters(value: unknown, option: string): void {
  assertThat(value === 'members' || value === 'anybody', option, `'members' or 'anybody'`, value)
}
