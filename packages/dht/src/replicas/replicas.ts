import type { AbortOptions, PeerId } from '@libp2p/interface'
import {
  type DHTRecord,
  decodeRecord,
  EMPTY_RECORD,
  encodeRecord,
  isEmpty,
  join,
  shownExpiration,
  subsumes
} from '@waggle/record'
import { HEDGE_MS, SEARCH_WIDTH } from '../constants.ts'
import { anySignal, timeoutSignal } from '../deadline.ts'
import type {
  Contact,
  FindReply,
  RecordChannel,
  Routing,
  StoreOutcome,
  StoreReply
} from '../interface.ts'
import type { Avoidance } from '../lookup/avoidance.ts'
import { pointOfKey } from '../lookup/key-space.ts'
import { type LookupEvent, lookup } from '../lookup/lookup.ts'
import { Search } from '../lookup/search.ts'
import type { RecordStore } from '../store/record-store.ts'

export interface ReplicasInit {
  readonly self: PeerId
  readonly store: RecordStore
  readonly channel: RecordChannel
  readonly routing: Routing
  readonly avoidance: Avoidance
  readonly numReplicas: number
  readonly requestTimeoutMs: number

  /** Whether this node holds records for others: a client does not. */
  readonly isReplica: () => boolean
}

export interface ReadOptions extends AbortOptions {
  latest?: boolean | undefined
  sufficientExpirationTime?: number | undefined
}

export interface Reading {
  /** What the peers that answered hold together. */
  readonly record: DHTRecord

  /** The nearest replicas that lack some of it. */
  readonly behind: readonly Contact[]
}

/**
 * The nearest peers of a key as one place: written to together, read from together. This node is
 * one of them where it is near enough.
 */
export class Replicas {
  readonly #init: ReplicasInit
  readonly #self: Contact

  constructor(init: ReplicasInit) {
    this.#init = init
    this.#self = { id: init.self, multiaddrs: [] }
  }

  /**
   * Joins what peers hold until it is good enough (N5). Nobody near a new peer may have handed
   * over yet, so that a key is absent only when many more peers than hold a record say so.
   */
  async read(key: Uint8Array, options: ReadOptions): Promise<Reading> {
    const { store, numReplicas } = this.#init
    let record = store.get(key)
    const held = new Map<Contact, DHTRecord>([[this.#self, record]])

    if (this.#isGoodEnough(record, options)) {
      return { record, behind: [] }
    }

    const search = this.#search(key, numReplicas)

    for await (const event of this.#find(search, key, options)) {
      if (event.name === 'answer') {
        const answer = event.answer.record ?? EMPTY_RECORD
        held.set(event.contact, answer)
        record = join(record, answer, store.limits)
      }

      if (this.#isGoodEnough(record, options)) {
        return { record, behind: [] }
      }

      if (search.isDone && isEmpty(record)) {
        search.widen(SEARCH_WIDTH)
      }
    }

    const nearest = search.answers().slice(0, numReplicas)
    return {
      record,
      behind: nearest.filter(
        (contact) => !subsumes(held.get(contact) ?? EMPTY_RECORD, record, store.limits)
      )
    }
  }

  /**
   * Sends a write to the nearest peers that answer (N6), and says what each made of it. Searching
   * and storing are one: a peer that knows nearer ones says so as it answers, and what it holds by
   * then does no harm.
   */
  async write(key: Uint8Array, write: DHTRecord, options: AbortOptions): Promise<StoreOutcome[]> {
    const { numReplicas } = this.#init
    const search = this.#search(key, numReplicas)
    const outcomes = new Map<Contact, StoreOutcome>()
    const answers = lookup(
      search,
      (contact, { signal }) => this.#storeAt(contact, { key, write, signal }),
      { ...options, parallelism: numReplicas }
    )

    for await (const event of answers) {
      if (event.name === 'answer') {
        outcomes.set(event.contact, event.answer.outcome)
      }
    }

    if (search.answers().includes(this.#self)) {
      outcomes.set(this.#self, await this.#storeHere(key, write))
    }

    return search.answers().flatMap((contact) => outcomes.get(contact) ?? [])
  }

  /** Brings replicas up to date after a reading (N5); those that fail are left as they are. */
  async repair(
    key: Uint8Array,
    { record, behind }: Reading,
    { signal }: AbortOptions
  ): Promise<void> {
    const bytes = encodeRecord(record)

    if (bytes.length > this.#init.store.limits.maxRecordBytes) {
      // No replica could hold all that they hold together.
      return
    }

    // Read anew, so that the own store does not keep the messages that the entries came in.
    const write = decodeRecord(bytes)
    await Promise.allSettled(
      behind.map((contact) =>
        contact === this.#self
          ? this.#storeHere(key, write)
          : this.#storeAt(contact, { key, write, signal })
      )
    )
    signal?.throwIfAborted()
  }

  /** The nearest peers that answered, nearest first, without this node. */
  async nearest(key: Uint8Array, count: number, options: AbortOptions): Promise<PeerId[]> {
    const search = this.#search(key, count, { isSelfIncluded: false })

    for await (const _ of this.#find(search, key, {
      ...options,
      latest: true,
      closerCount: count
    })) {
      // The search itself takes in the answers.
    }

    return search.answers().map(({ id }) => id)
  }

  #search(
    key: Uint8Array,
    count: number,
    { isSelfIncluded = this.#init.isReplica() } = {}
  ): Search {
    const target = pointOfKey(key)
    const search = new Search({
      target,
      count,
      isAvoided: ({ id }) => this.#init.avoidance.has(id)
    })

    search.add([this.#self, ...this.#init.routing.nearest(target, SEARCH_WIDTH)])

    if (isSelfIncluded) {
      search.answered(this.#self)
    } else {
      search.failed(this.#self)
    }

    return search
  }

  /** Asks one after the other for any answer, all at once for the latest. */
  #find(
    search: Search,
    key: Uint8Array,
    {
      latest = false,
      closerCount = this.#init.numReplicas,
      signal
    }: ReadOptions & { closerCount?: number }
  ): AsyncGenerator<LookupEvent<FindReply>, void, undefined> {
    const { channel, numReplicas } = this.#init

    return lookup(
      search,
      (contact, options) =>
        this.#request(contact, options, (timed) =>
          channel.find(contact, key, {
            ...timed,
            closerCount: Math.min(closerCount, SEARCH_WIDTH),
            isCloserAlways: latest
          })
        ),
      latest ? { signal, parallelism: numReplicas } : { signal, parallelism: 1, hedgeMs: HEDGE_MS }
    )
  }

  async #storeHere(key: Uint8Array, write: DHTRecord): Promise<StoreOutcome> {
    const { store } = this.#init
    const applied = store.apply(key, write)

    if (!applied.isAccepted) {
      return applied.reason
    }

    try {
      await store.whenDurable()
      return 'accepted'
    } catch {
      return 'full'
    }
  }

  #storeAt(
    contact: Contact,
    { key, write, signal }: AbortOptions & { key: Uint8Array; write: DHTRecord }
  ): Promise<StoreReply> {
    const { channel, numReplicas } = this.#init
    return this.#request(contact, { signal }, (timed) =>
      channel.store(contact, key, write, { ...timed, closerCount: numReplicas })
    )
  }

  /** Gives one request its time, and remembers whether the peer answered (N8). */
  async #request<T>(
    { id }: Contact,
    { signal }: AbortOptions,
    send: (options: AbortOptions) => Promise<T>
  ): Promise<T> {
    const { avoidance, requestTimeoutMs } = this.#init
    const timeout = timeoutSignal(requestTimeoutMs)

    try {
      const answer = await send({ signal: anySignal(signal, timeout) })
      avoidance.answered(id)
      return answer
    } catch (error) {
      if (signal?.aborted !== true) {
        avoidance.failed(id)
      }

      throw error
    }
  }

  #isGoodEnough(record: DHTRecord, options: ReadOptions): boolean {
    if (options.latest === true) {
      return false
    }

    const expirationTime = shownExpiration(record, this.#init.store.clock())
    return expirationTime !== undefined && expirationTime >= (options.sufficientExpirationTime ?? 0)
  }
}
