import type { PeerId } from '@libp2p/interface'
import {
  type Found,
  type Key,
  type MaybePromise,
  recordKey,
  type Subkey,
  type SubkeyId,
  type Value
} from '@waggle/record'
import { subkeyId, whenDone } from '@waggle/record/replica'
import { type Inspection, inspect } from '../inspection/inspection.ts'
import { entryOf } from '../live/found-places.ts'
import { LiveWatch } from '../live/live-watch.ts'
import type { StateSource } from '../live/state.ts'
import type { Watch, WatchOptions } from '../live/watch.ts'
import type { CachedReadOptions } from '../reading/cached-reads.ts'
import { placeName } from '../store/place-name.ts'
import { type CallOptions, Calls } from '../timing/calls.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { wait } from '../timing/wait.ts'
import type { Watches } from '../watch/watches.ts'
import type { BaseOperations } from './base-operations.ts'
import {
  assertCallOptions,
  assertLifetimeOptions,
  assertMany,
  assertPublishOptions
} from './call-arguments.ts'
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
} from './call-options.ts'
import { LivePublication } from './live-publication.ts'
import { ManyReader } from './many-reader.ts'
import { ManyWriter } from './many-writer.ts'
import type { Publication, PublishOptions } from './publication.ts'
import type { Publications } from './publications.ts'
import { patient, retrying } from './retries.ts'
import type { Report, Result } from './store-report.ts'
import { Writer, type WriterInit, type Written } from './writer.ts'
import { CLOCK_STEP, deleteWrite, goodbye, placeOf, storeWrite, type Write } from './writes.ts'

export interface OperationsInit extends WriterInit {
  /** This node. */
  readonly peerId: PeerId

  /** Hears of each value that was found and left out, because it fits no schema. */
  readonly onMisfit?: (() => void) | undefined
  readonly publications: Publications
  readonly watches: Watches
  readonly numReplicas: number

  /** @default DEFAULTS.limits.maxCalls */
  readonly maxCalls?: number | undefined

  /** Aborted when the node stops. */
  readonly lifetime: AbortSignal
}

/** Milliseconds that saying goodbye may take when a DHT stops. */
const GOODBYE_TIMEOUT_MS = 1000

/** Checks callers' arguments and runs their calls. */
export class Operations implements BaseOperations {
  readonly #init: OperationsInit
  readonly #calls: Calls
  readonly #writer: Writer

  constructor(init: OperationsInit) {
    this.#init = init
    this.#writer = new Writer(init)
    this.#calls = new Calls(init.lifetime, { observer: init.meter, maxCalls: init.maxCalls })
    init.lifetime.addEventListener('abort', () => init.publications.endOwn(this))
  }

  get peerId(): PeerId {
    return this.#init.peerId
  }

  get network(): string {
    return this.#init.store.network
  }

  countMisfit(): void {
    this.#init.onMisfit?.()
  }

  async store<R extends boolean = false>(
    key: Key,
    value: unknown,
    options: StoreOptions & Report<R>
  ): Promise<Result<R>> {
    assertLifetimeOptions('store', options)
    const write = storeWrite({ ...options, key, value: value as Value }, this.#writer.rules())
    const { publications, store } = this.#init
    const { retry } = options
    const written = await this.#calls.run('store', patient(options), (cancellation) =>
      retrying({ retry, cancellation, publications, store }, () =>
        this.#replace(write, cancellation)
      )
    )
    return this.#writer.resultOf(written, options)
  }

  async delete<R extends boolean = false>(
    key: Key,
    options: DeleteOptions & Report<R> = {}
  ): Promise<Result<R>> {
    assertCallOptions('delete', options)
    const { ttl, expirationTime } = options
    const isTimed = ttl != null || expirationTime != null
    const writer = this.#writer
    const write = isTimed ? deleteWrite({ ...options, key }, writer.rules()) : undefined
    const place = this.#placeOf(key, options)
    const { publications } = this.#init
    const written = await this.#calls.run('delete', patient(options), async (cancellation) => {
      const order = publications.nextOrder()
      const written = await retrying({ ...this.#init, ...options, cancellation }, () =>
        write === undefined
          ? writer.deletePresent({ ...options, key }, cancellation)
          : writer.write(write, cancellation)
      )

      if (written.outcome === 'held' || written.isPartial === true) {
        publications.supersedeAll(place, order)
      }

      return written
    })
    return writer.resultOf(written, options)
  }

  publish(key: Key, value: unknown, options: PublishOptions): Publication {
    assertPublishOptions(options)
    const writer = this.#writer
    const place = this.#placeOf(key, options)
    this.#init.lifetime.throwIfAborted()

    return new LivePublication({
      ...options,
      ...{ key, value, place, owner: this, publications: this.#init.publications },
      calls: {
        toWrite: (value) => storeWrite({ ...options, key, value: value as Value }, writer.rules()),
        now: () => writer.rules().now,
        send: (write) =>
          this.#calls.run('publish', {}, (cancellation) => writer.write(write, cancellation)),
        errorOf: (written) => writer.errorOf(written),
        sayGoodbye: async (write, until, timeoutMs) => {
          const deletion = goodbye(write, until + CLOCK_STEP)
          await this.#calls.run('delete', { timeoutMs }, (cancellation) =>
            writer.write(deletion, cancellation)
          )
        },
        wait: (options, start) => this.#calls.run('held', options, start)
      }
    })
  }

  async close(): Promise<void> {
    const own = this.#init.publications.ofOwner(this)
    const stopping = own.map((publication) => publication.stop({ timeoutMs: GOODBYE_TIMEOUT_MS }))
    await Promise.race([Promise.all(stopping), own.length > 0 && wait(GOODBYE_TIMEOUT_MS)])
  }

  async get<F extends Found = Found>(
    key: Key,
    options: GetOptions & PlaceOptions = {}
  ): Promise<F | undefined> {
    assertCallOptions('get', options)
    const { latest, maxAge, sufficientExpirationTime } = options
    const { bytes, subkey } = this.#encode(key, options)
    const found = await this.#calls.run('get', options, (cancellation) =>
      this.#read(bytes, { cancellation, latest, maxAge, subkey, sufficientExpirationTime })
    )
    return found as F | undefined
  }

  async storeMany<R extends boolean = false>(
    entries: Iterable<StoreEntry>,
    options: StoreManyOptions & Report<R> = {}
  ): Promise<Result<R>[]> {
    assertMany('entries', entries)
    assertCallOptions('storeMany', options)
    const { hasValidators } = this.#init.store.checks
    const many = new ManyWriter({
      ...{ entries, options, writer: this.#writer, hasValidators },
      send: (write, cancellation) => this.#replace(write, cancellation)
    })
    await this.#runMany('storeMany', options, many)
    return many.answers()
  }

  async getMany(
    keys: Iterable<KeyOrPlace>,
    options: GetManyOptions = {}
  ): Promise<(Found | undefined)[]> {
    assertMany('keys', keys)
    assertCallOptions('getMany', options)
    const { limits } = this.#init.store
    const many = new ManyReader({
      ...{ keys, options, limits },
      read: (key, options) => this.#read(key, options)
    })
    await this.#runMany('getMany', options, many)
    return many.answers()
  }

  states(key: Key): StateSource<Found | undefined, Subkey | undefined, Value> {
    const { store, watches } = this.#init
    return watches.statesOf(recordKey(key, store.limits))
  }

  entryStates(key: Key, subkey: Subkey): StateSource<Found<Value> | undefined, Subkey, Value> {
    const { store, watches } = this.#init
    const { limits } = store
    return watches.entryStatesOf(recordKey(key, limits), subkeyId(subkey, limits))
  }

  watchStates<T, K, V, R extends boolean>(
    source: StateSource<T, K, V>,
    options: WatchOptions<R> = {}
  ): Watch<T, K, V, R> {
    assertCallOptions('handle.watch', options)
    const { lifetime, store } = this.#init
    return new LiveWatch({ ...options, source, lifetime, clock: store.clock })
  }

  async inspect(key: Key, options: CallOptions = {}): Promise<Inspection> {
    assertCallOptions('inspect', options)
    const { numReplicas, replicas, store } = this.#init
    const bytes = recordKey(key, store.limits)
    return this.#calls.run('inspect', options, (cancellation) =>
      inspect({ key: bytes, numReplicas, replicas, store, cancellation })
    )
  }

  async findNearestPeers(key: Key, options: FindNearestPeersOptions = {}): Promise<PeerId[]> {
    assertCallOptions('findNearestPeers', options)
    const { replicas, numReplicas, store } = this.#init
    const { count = numReplicas } = options
    const bytes = recordKey(key, store.limits)

    return this.#calls.run('findNearestPeers', options, (cancellation) =>
      replicas.findNearestPeers(bytes, count, cancellation)
    )
  }

  async #runMany(
    name: 'storeMany' | 'getMany',
    options: CallOptions,
    many: ManyReader | ManyWriter
  ): Promise<void> {
    const resultsSoFar = (reason: Error): PromiseSettledResult<unknown>[] =>
      many.resultsSoFar(reason)
    await this.#calls.run(name, { ...options, isBulk: true, resultsSoFar }, (cancellation) =>
      many.run(cancellation)
    )
  }

  #encode(
    key: Key,
    { subkey }: PlaceOptions
  ): { readonly bytes: Uint8Array; readonly subkey: SubkeyId | undefined } {
    const { limits } = this.#init.store
    const bytes = recordKey(key, limits)
    return { bytes, subkey: subkey === undefined ? undefined : subkeyId(subkey, limits) }
  }

  /** Names a place. */
  #placeOf(key: Key, options: PlaceOptions): string {
    const { bytes, subkey } = this.#encode(key, options)
    return placeName(bytes, subkey)
  }

  /** Stores, and if that is held ends publications in the same place. */
  async #replace(write: Write, cancellation: CancellationToken): Promise<Written> {
    const { publications } = this.#init
    const order = publications.nextOrder()
    const written = await this.#writer.write(write, cancellation)

    if (written.outcome === 'held' && publications.size > 0) {
      publications.supersede(placeOf(write), order)
    }

    return written
  }

  /** Answers at once if no peer has to be asked. */
  #read(key: Uint8Array, options: CachedReadOptions): MaybePromise<Found | undefined> {
    const { reads, store } = this.#init
    return whenDone(reads.read(key, options), (record) =>
      options.subkey === undefined
        ? store.checks.show(key, record)
        : whenDone(store.checks.show(key, { subkeys: record.subkeys }), entryOf)
    )
  }
}
