import type { PeerId } from '@libp2p/interface'
import { type CallOptions, UnreachableError } from '@waggle/dht'
import { ValidationError } from '@waggle/record'
import { DEFAULT_LIMITS, expirationOf, type OptionalLifetime } from '@waggle/record/replica'
import { textOf } from '../bytes/latin1.ts'
import { assertKey, type DHTId, idOfKey } from '../keys/dht-id.ts'
import type { Network } from '../lookup/network.ts'
import { encodeValue } from '../msgpack/msgpack-writer.ts'
import type { HivemindKey, HivemindValue } from '../msgpack/python-types.ts'
import type { Reader } from '../reading/reader.ts'
import { type HivemindFound, view } from '../reading/view.ts'
import { recordOf } from '../record/record.ts'
import type { HivemindWrite } from '../record/write.ts'
import type { Validation } from '../replica/validation.ts'
import { Calls, type CancellationToken, type Meter, mapMany } from '../waggle-parts.ts'
import type {
  HivemindFindNearestPeersOptions,
  HivemindGetOptions,
  HivemindStoreEntry,
  HivemindStoreManyOptions,
  HivemindStoreOptions
} from './call-options.ts'
import { SubkeyGuard } from './subkey-guard.ts'

export interface OperationsInit {
  readonly network: Network
  readonly reader: Reader
  readonly validation: Validation
  readonly numReplicas: number
  readonly clock: () => number

  /** Counts calls and their outcomes; undefined: no metrics. */
  readonly meter?: Meter | undefined

  /** Aborted when the node stops. */
  readonly lifetime: AbortSignal
}

/** Seconds between two writes with a ttl in the same tick of the clock. The later write wins. */
const CLOCK_STEP = 1e-6

/** Entries and keys of one call in flight at once. */
const MANY = { maxItems: 256 }

/** Checks callers' arguments and runs the operations with their time limits. */
export class HivemindOperations {
  readonly #init: OperationsInit
  readonly #calls: Calls
  readonly #subkeys = new SubkeyGuard()
  #lastTime = 0

  constructor(init: OperationsInit) {
    this.#init = init
    this.#calls = new Calls(init.lifetime, { observer: init.meter })
  }

  async store(
    key: HivemindKey,
    value: HivemindValue,
    options: HivemindStoreOptions
  ): Promise<boolean> {
    assertOptions('store', options)
    const prepared = this.#write({ ...options, key, value })
    return this.#calls.run('store', options, (cancellation) => this.#store(prepared, cancellation))
  }

  async storeMany(
    entries: Iterable<HivemindStoreEntry>,
    options: HivemindStoreManyOptions = {}
  ): Promise<boolean[]> {
    const writes = Array.from(entries, (entry, i) => {
      const lifetime = hasLifetime(entry) ? entry : options
      return inEntry(i, () => this.#write(entry, lifetime))
    })
    return this.#calls.run('storeMany', options, (cancellation) =>
      mapMany(writes, (write) => this.#store(write, cancellation), { ...MANY, cancellation })
    )
  }

  async get(
    key: HivemindKey,
    options: HivemindGetOptions = {}
  ): Promise<HivemindFound | undefined> {
    const id = idOfKey(key)
    return this.#calls.run('get', options, (cancellation) => this.#get(id, options, cancellation))
  }

  async getMany(
    keys: Iterable<HivemindKey>,
    options: HivemindGetOptions = {}
  ): Promise<(HivemindFound | undefined)[]> {
    const ids = Array.from(keys, (key, i) => inEntry(i, () => idOfKey(key)))
    return this.#calls.run('getMany', options, (cancellation) =>
      mapMany(ids, (id) => this.#get(id, options, cancellation), { ...MANY, cancellation })
    )
  }

  async findNearestPeers(
    key: HivemindKey,
    options: HivemindFindNearestPeersOptions = {}
  ): Promise<PeerId[]> {
    const { count = this.#init.numReplicas } = options
    const id = idOfKey(key)

    if (!Number.isInteger(count) || count < 1) {
      throw new TypeError(`count must be an integer from 1 up, got ${count}`)
    }

    const nearest = await this.#calls.run('findNearestPeers', options, (cancellation) =>
      this.#init.network.nearest(id, count, cancellation)
    )
    return nearest.map(({ id: peer }) => peer)
  }

  async #get(
    id: DHTId,
    { latest = false, sufficientExpirationTime = 0, exactFloats }: HivemindGetOptions,
    cancellation: CancellationToken
  ): Promise<HivemindFound | undefined> {
    const { reader, clock } = this.#init
    const record = await reader.read(id, {
      ...{ cancellation, sufficientExpirationTime },
      isLatest: latest
    })
    return view(record, clock(), { exactFloats })
  }

  async #store({ id, write }: Prepared, cancellation: CancellationToken): Promise<boolean> {
    const { meter, network, reader, clock } = this.#init

    if (write.expirationTime <= clock()) {
      return false
    }

    const signed = await this.#signed(id, write)
    const outcomes = await network.write(id, signed, cancellation)
    meter?.countOutcomes(outcomes)

    if (outcomes.length === 0 && !cancellation.isCancelled) {
      throw new UnreachableError(0)
    }

    const isAccepted = outcomes.includes('accepted') && !outcomes.includes('beaten')

    if (isAccepted) {
      const { subkey, ...entry } = signed
      reader.onWritten(
        id,
        subkey === undefined ? recordOf(entry) : recordOf(undefined, new Map([[subkey, entry]]))
      )
    }

    return isAccepted
  }

  async #signed(id: DHTId, write: HivemindWrite): Promise<HivemindWrite> {
    const { validation } = this.#init
    const signed = await validation.signed(id, write)
    const { refusal } = await validation.check(id, signed)

    if (refusal !== undefined) {
      throw new ValidationError(refusal)
    }

    return signed
  }

  #write(entry: HivemindStoreEntry, lifetime: OptionalLifetime = entry): Prepared {
    const { key, value, subkey } = entry
    const id = idOfKey(key)
    const text = subkey === undefined ? undefined : subkeyText(subkey)
    const write = {
      value: encodeValue(value),
      subkey: text,
      expirationTime: this.#expirationOf(lifetime)
    }

    if (text !== undefined) {
      this.#subkeys.check(textOf(id), text, write.expirationTime)
    }

    return { id, write }
  }

  /**
   * Returns the expiration of a write. It rises from write to write, so the later of two in one tick with the same
   * ttl wins.
   */
  #expirationOf(lifetime: OptionalLifetime): number {
    const { clock, validation } = this.#init
    const limits = { ...DEFAULT_LIMITS, maxTtl: validation.limits.maxTtl }
    const now = clock()
    this.#lastTime = Math.max(now, Math.min(this.#lastTime + CLOCK_STEP, now + 1))
    return expirationOf(lifetime, this.#lastTime, limits)
  }
}

interface Prepared {
  readonly id: DHTId
  readonly write: HivemindWrite
}

function subkeyText(subkey: HivemindKey): string {
  assertKey(subkey, 'subkey')
  return textOf(encodeValue(subkey, 'subkey'))
}

function hasLifetime({ expirationTime, ttl }: OptionalLifetime): boolean {
  return expirationTime != null || ttl != null
}

function assertOptions(name: string, options: CallOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(
      `${name} needs options with an expirationTime or a ttl, such as { ttl: 600 }, got ${options}`
    )
  }
}

function inEntry<T>(index: number, use: () => T): T {
  try {
    return use()
  } catch (error) {
    if (error instanceof Error) {
      error.message = `entry ${index}: ${error.message}`
    }

    throw error
  }
}
