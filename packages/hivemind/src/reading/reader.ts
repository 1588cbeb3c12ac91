import { textOf } from '../bytes/latin1.ts'
import type { DHTId } from '../keys/dht-id.ts'
import type { Findings, Network } from '../lookup/network.ts'
import type { NodeContact } from '../peers/node-contact.ts'
import {
  type HivemindRecord,
  isEmpty,
  join,
  latestExpiration,
  prune,
  recordOf
} from '../record/record.ts'
import type { Replica } from '../replica/replica.ts'
import { itemsOf } from '../replica/store-item.ts'
import type { HivemindClient } from '../rpc/client.ts'
import type { CancellationToken, HivemindCachePolicy, Meter } from '../waggle-parts.ts'
import { lacking } from './lacking.ts'
import { Refreshes } from './refreshes.ts'

export interface ReaderInit {
  readonly network: Network
  readonly replica: Replica
  readonly client: HivemindClient
  readonly clock: () => number

  /** Undefined: no cache. */
  readonly cache: HivemindCachePolicy | undefined

  /** Counts reads by their source; undefined: no metrics. */
  readonly meter?: Meter | undefined
}

export interface ReadOptions {
  readonly cancellation: CancellationToken
  readonly isLatest: boolean

  /** DHT time. A result that expires earlier is not sufficient while a later one may exist. */
  readonly sufficientExpirationTime: number
}

interface Pending {
  readonly sufficientExpirationTime: number
  readonly promise: Promise<HivemindRecord>
}

const NEVER_CANCELLED: CancellationToken = { isCancelled: false }

/** Reads keys from this node's own records and from other nodes. */
export class Reader {
  readonly #init: ReaderInit
  readonly #pending = new Map<string, Pending>()
  readonly #refreshes: Refreshes

  constructor(init: ReaderInit) {
    this.#init = init
    this.#refreshes = new Refreshes({
      clock: init.clock,
      beforeExpiry: init.cache?.refreshBeforeExpiry ?? 0,
      refresh: (key, expirationTime) => this.#refresh(key, expirationTime)
    })
  }

  /** Refreshes of cached records that are planned. */
  get refreshes(): number {
    return this.#refreshes.size
  }

  stop(): void {
    this.#refreshes.stop()
  }

  async read(key: DHTId, options: ReadOptions): Promise<HivemindRecord> {
    const own = this.#init.replica.get(key)

    if (!options.isLatest && this.#isSufficient(own, options)) {
      this.#init.meter?.read('cache')
      this.#refreshes.plan(key, latestExpiration(own))
      return own
    }

    this.#init.meter?.read('network')
    return options.isLatest ? this.#fetch(key, options) : this.#shared(key, options)
  }

  /** Updates the cache after this node has stored a write elsewhere. */
  onWritten(key: DHTId, written: HivemindRecord): void {
    const { cache, replica } = this.#init
    const known = replica.get(key)

    if (cache?.onStore === true) {
      const isPlain = written.plain !== undefined
      // A dictionary's other entries would be missing from the cache.
      if (isPlain || known.subkeys.size > 0) {
        this.#remember(key, join(known, written))
      }
    }
  }

  /** Joins a read of the same key that is in flight and sufficient, or starts one. */
  #shared(key: DHTId, options: ReadOptions): Promise<HivemindRecord> {
    const name = textOf(key)
    const pending = this.#pending.get(name)
    const { sufficientExpirationTime } = options

    if (pending !== undefined && pending.sufficientExpirationTime >= sufficientExpirationTime) {
      return pending.promise
    }

    const promise = this.#fetch(key, { ...options, cancellation: NEVER_CANCELLED })
    const entry = { promise, sufficientExpirationTime }
    this.#pending.set(name, entry)
    const onEnd = (): void => {
      if (this.#pending.get(name) === entry) {
        this.#pending.delete(name)
      }
    }
    promise.then(onEnd, onEnd)
    return promise
  }

  async #fetch(key: DHTId, options: ReadOptions): Promise<HivemindRecord> {
    const { network, replica } = this.#init
    const findings = await network.find(key, {
      ...options,
      isSufficient: (record) => this.#isSufficient(record, options)
    })
    const own = replica.get(key)
    const record = join(own, findings.record)

    if (!isEmpty(findings.record)) {
      this.#cacheFound(key, findings, own)
    }

    if (options.isLatest && !options.cancellation.isCancelled) {
      this.#repair(key, record, findings)
    }

    return record
  }

  #isSufficient(record: HivemindRecord, { sufficientExpirationTime }: ReadOptions): boolean {
    const live = prune(record, this.#init.clock())
    return !isEmpty(live) && latestExpiration(live) >= sufficientExpirationTime
  }

  #cacheFound(key: DHTId, findings: Findings, own: HivemindRecord): void {
    const { cache } = this.#init
    const { record } = findings

    if (cache === undefined || latestExpiration(record) <= latestExpiration(own)) {
      return
    }

    if (cache.locally) {
      this.#remember(key, join(own, record))
    }

    this.#cacheOnPath(key, findings, cache.nearest)
  }

  #remember(key: DHTId, record: HivemindRecord): void {
    const { plain, subkeys } = record
    this.#init.replica.remember(
      key,
      subkeys.size > 0 ? recordOf(undefined, subkeys) : recordOf(plain)
    )
  }

  /** Caches the record on the nearest nodes that had none and are nearer than one that had it (path caching). */
  #cacheOnPath(key: DHTId, { answers, nearest, record }: Findings, count: number): void {
    const holds = (contact: NodeContact): boolean =>
      answers.some((answer) => answer.contact === contact && !isEmpty(answer.record))
    const nearer = nearest.slice(0, Math.max(nearest.findLastIndex(holds), 0))

    for (const contact of nearer.filter((one) => !holds(one)).slice(0, count)) {
      this.#send(contact, itemsOf(key, record, { isInCache: true }))
    }
  }

  /** Sends the nearest nodes the entries that they lack, one by one (N5). They would refuse equal expirations. */
  #repair(key: DHTId, record: HivemindRecord, { answers, nearest, isNear }: Findings): void {
    const { replica } = this.#init

    if (isNear) {
      replica.hold(itemsOf(key, lacking(replica.held(key), record)))
    }

    for (const { contact, record: held } of answers) {
      if (nearest.includes(contact)) {
        this.#send(contact, itemsOf(key, lacking(held, record)))
      }
    }
  }

  #send(contact: NodeContact, items: ReturnType<typeof itemsOf>): void {
    for (const item of items) {
      this.#init.client.store(contact, item).catch(() => {
        // The outcome does not matter.
      })
    }
  }

  async #refresh(key: DHTId, expirationTime: number): Promise<void> {
    await this.#shared(key, {
      cancellation: NEVER_CANCELLED,
      isLatest: false,
      sufficientExpirationTime: expirationTime + 1
    })
  }
}
