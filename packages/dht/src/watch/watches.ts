import type { Logger, PeerId, TypedEventTarget } from '@libp2p/interface'
import {
  type DHTRecord,
  type Found,
  isEmpty,
  join,
  type Subkey,
  type SubkeyId,
  type Value
} from '@waggle/record'
import { encodedSize } from '@waggle/record/replica'
import { DelegatedLookups, type LookupSize } from '../admission/delegated-lookups.ts'
import type { DHTEvents } from '../events.ts'
import type { FoundPlaces } from '../live/places.ts'
import { mapStates, type StateSource } from '../live/state.ts'
import type { WatchedRecord, WatchedRecords } from '../reading/known-records.ts'
import { keyOf, nameOf } from '../store/record-store.ts'
import type { KeyChange, StoredWrite } from '../store/store-listeners.ts'
import { NEVER_FRESH, OWN } from '../store/stored-record.ts'
import { type Dependence, type ForwardedKey, ForwardedKeys } from './forwarded-keys.ts'
import { KeyReader } from './key-reader.ts'
import { LOOK_DELAY_MS, MAX_WATCHED_SUBKEYS } from './limits.ts'
import type { WatchedPlace } from './watch-messages.ts'
import { WatchSchedule } from './watch-schedule.ts'
import { WatchedKey, type WatchedKeyInit } from './watched-key.ts'

export interface WatchesInit
  extends Omit<WatchedKeyInit, 'key' | 'subkey' | 'onChange' | 'onUnused'> {
  /** Keys watched for others. */
  readonly maxForwardedKeys: number

  /** Runs the first lookups of these keys. */
  readonly delegated?: DelegatedLookups
  readonly log: Logger
}

/** All watches of this node. Readers of one key share its known record. */
export class Watches implements WatchedRecords {
  readonly #init: WatchesInit
  readonly #delegated: DelegatedLookups

  /** The watched parts of each key: the whole, or single subkeys. */
  readonly #keys = new Map<string, WatchedKey[]>()

  /** The keys watched for others. */
  readonly forwarded: ForwardedKeys
  readonly #schedule: WatchSchedule

  constructor(init: WatchesInit) {
    this.#init = init
    this.#delegated = init.delegated ?? new DelegatedLookups()
    this.forwarded = new ForwardedKeys({
      max: init.maxForwardedKeys,
      begin: (name, onChange, dependence) => this.#forward(name, onChange, dependence)
    })
    this.#schedule = new WatchSchedule({ clock: init.store.clock, log: init.log })
    init.known.followWatches(this)
    init.store.onWrite((name, write) => this.#onStored(name, write))
  }

  /** Keys and subkeys that are watched. */
  get size(): number {
    return [...this.#keys.values()].reduce((sum, { length }) => sum + length, 0)
  }

  /** Returns the states of a key, which is watched while a reader follows them. */
  statesOf(
    key: Uint8Array,
    subkey?: SubkeyId
  ): StateSource<Found | undefined, Subkey | undefined, Value> {
    return {
      open: (listener) => {
        const watched = this.#watchedWith(key, subkey)
        const reader = new KeyReader({
          listener,
          states: watched.subkey === subkey ? watched.states : watched.statesOf(subkey),
          onClose: (reader) => watched.leave(reader)
        })
        watched.add(reader)
        this.#lookFirst(watched)
        return reader
      }
    }
  }

  /** Returns the states of one subkey. */
  entryStatesOf(
    key: Uint8Array,
    subkey: SubkeyId
  ): StateSource<Found<Value> | undefined, Subkey, Value> {
    return mapStates(this.statesOf(key, subkey), () => ({ places }) => {
      const [place] = places.values()
      return { current: place?.found, places: places as FoundPlaces<Subkey, Value> }
    })
  }

  /**
   * Asks each new peer about the keys of which it may be a replica, until the signal is aborted.
   */
  follow(events: TypedEventTarget<DHTEvents>, signal: AbortSignal): void {
    events.addEventListener('peer:found', ({ detail }) => this.#onFound(detail), { signal })
  }

  /** Renews all subscriptions soon after a sleep: known records may be of any age. */
  renewAll(): void {
    for (const watched of this.#all()) {
      watched.notifiers.replicas.freshMs = NEVER_FRESH
      this.#schedule.lookWithin(watched, LOOK_DELAY_MS)
    }
  }

  /** Returns the record of a key, or of one of its subkeys, that watches know. */
  known(key: string, subkey: SubkeyId | undefined): WatchedRecord | undefined {
    const ofKey = this.#keys.get(key)

    if (ofKey === undefined) {
      return undefined
    }

    const { limits } = this.#init.store
    const own = this.#find(key) ?? this.#find(key, subkey)
    // Single subkeys that are watched are joined into what is read of the whole.
    const record = ofKey.map(({ record }) => record).reduce((all, one) => join(all, one, limits))
    return { ...(own?.known() ?? NOT_TOLD), record }
  }

  /** Takes in a peer's notice of a change. */
  onChange({ key, subkey }: WatchedPlace, record: DHTRecord): void {
    this.#find(nameOf(key), subkey)?.learn(record)
  }

  /** This node learns of a change in another way. */
  onLearned(key: string, record: DHTRecord): void {
    for (const watched of this.#keys.get(key) ?? []) {
      watched.learn(record)
    }
  }

  /** Handles the loss of a peer's notices. */
  onLost(peer: PeerId): void {
    for (const watched of this.#all()) {
      if (watched.notifiers.lose(peer)) {
        this.#schedule.lookSoon(watched)
      }
    }
  }

  /** Stops the clocks. */
  stop(): void {
    this.#schedule.stop()
  }

  *#all(): Generator<WatchedKey, void> {
    for (const ofKey of this.#keys.values()) {
      yield* ofKey
    }
  }

  #find(name: string, subkey?: SubkeyId): WatchedKey | undefined {
    return this.#keys.get(name)?.find((watched) => watched.subkey === subkey)
  }

  /**
   * Finds or begins what serves a reader of a key, or of one of its subkeys: the whole key, if it is watched
   * anyway or for many subkeys.
   */
  #watchedWith(key: Uint8Array, subkey: SubkeyId | undefined): WatchedKey {
    const name = nameOf(key)
    const isSpare = (this.#keys.get(name)?.length ?? 0) < MAX_WATCHED_SUBKEYS
    return (
      this.#find(name) ?? this.#find(name, subkey) ?? this.#begin(key, isSpare ? subkey : undefined)
    )
  }

  #begin(key: Uint8Array, subkey?: SubkeyId): WatchedKey {
    const { known } = this.#init
    const watched = new WatchedKey({
      ...this.#init,
      ...{ key, subkey },
      onChange: () => this.#schedule.awaitExpiration(watched),
      onUnused: () => this.#end(watched)
    })
    const name = nameOf(key)
    this.#keys.set(name, [...(this.#keys.get(name) ?? []), watched])

    if (!isEmpty(known.held(key, subkey))) {
      watched.learn(known.get(key, subkey).record)
    }

    return watched
  }

  #lookFirst(watched: WatchedKey): void {
    if (!watched.hasLooked) {
      void this.#schedule.look(watched)
    }
  }

  /** Watches a key for others: at its replicas, wherever it was watched until now. */
  #forward(
    name: string,
    onChange: (change: KeyChange) => void,
    { peer, role }: Dependence
  ): ForwardedKey {
    const watched = this.#find(name) ?? this.#begin(keyOf(name))
    const isBeginning = (): boolean =>
      !watched.isSettled && (watched.isLooking || !watched.hasLooked)
    watched.forward(onChange, role)

    if (watched.hasLooked) {
      this.#schedule.lookWithin(watched, LOOK_DELAY_MS)
    } else {
      void this.#delegated.run(peer, (count) => this.#lookFor(watched, count))
    }

    return {
      get record() {
        return watched.record
      },
      get isTold() {
        return watched.notifiers.isToldByReplicas || isBeginning()
      },
      get isReachable() {
        return (watched.notifiers.isPrompt && !watched.isUnreachable) || isBeginning()
      },
      end: () => watched.forward(undefined)
    }
  }

  /** Looks up a key for another peer for the first time, if it still wants it. */
  async #lookFor(watched: WatchedKey, count: (size: LookupSize) => void): Promise<void> {
    if (!watched.isStopped && !watched.hasLooked) {
      await this.#schedule.look(watched)
      const { record } = watched
      const copies = this.#init.numReplicas
      count({ bytes: encodedSize(record), entries: record.subkeys.size, copies })
    }
  }

  /** A write that another peer stored here counts if this node is a replica of the key. */
  #onStored(name: string, { added, writer }: StoredWrite): void {
    const ofKey = this.#keys.get(name)

    if (ofKey !== undefined && (writer === OWN || this.#init.known.isReplicaOf(keyOf(name)))) {
      for (const watched of ofKey) {
        watched.learn(added)
      }
    }
  }

  #end(watched: WatchedKey): void {
    const name = nameOf(watched.key)
    const others = this.#keys.get(name)?.filter((other) => other !== watched) ?? []

    if (others.length > 0) {
      this.#keys.set(name, others)
    } else {
      this.#keys.delete(name)
    }

    this.#schedule.delete(watched)
    watched.stop()
  }

  #onFound(peer: PeerId): void {
    for (const watched of this.#all()) {
      if (watched.notifiers.isNewReplica(peer)) {
        this.#schedule.lookSoon(watched)
      }
    }
  }
}

const NOT_TOLD = { freshMs: NEVER_FRESH, noticeMs: Number.POSITIVE_INFINITY }
