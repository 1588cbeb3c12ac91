import type { AbortOptions, PeerId } from '@libp2p/interface'
import {
  type DHTRecord,
  EMPTY_RECORD,
  isEmpty,
  join,
  shownExpiration,
  subsumes
} from '@waggle/record'
import { SEARCH_WIDTH } from '../constants.ts'
import { anySignal, timeoutSignal } from '../deadline.ts'
import type { Contact, FindReply, RecordChannel, Routing, StoreOutcome } from '../interface.ts'
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
    const held = new Map<Contact, DHTRecord>([[this.#self, store.get(key)]])
    let record = store.get(key)

    if (this.#isGoodEnough(record, options)) {
      return { record, behind: [] }
    }

    const search = this.#search(key, numReplicas)

    for await (const event of this.#lookup(search, key, options)) {
      if (event.name === 'answer') {
        const answer = event.reply.record ?? EMPTY_RECORD
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

  /** Sends a write to the nearest peers that answer (N6), and says what each made of it. */
  async write(key: Uint8Array, write: DHTRecord, options: AbortOptions): Promise<StoreOutcome[]> {
    const search = this.#search(key, this.#init.numReplicas)
    const outcomes = new Map<Contact, StoreOutcome>()

    for (;;) {
      await this.#settle(search, key, options)
      const next = search.answers().filter((contact) => !outcomes.has(contact))

      if (next.length === 0) {
        return [...outcomes.values()]
      }

      await Promise.all(
        next.map(async (contact) => {
          const outcome = await this.#storeAt(contact, { key, write, ...options })

          if (outcome === undefined) {
            search.failed(contact)
          } else {
            outcomes.set(contact, outcome)
          }
        })
      )
    }
  }

  /** Brings replicas up to date after a reading (N5); those that fail are left as they are. */
  async repair(key: Uint8Array, { record, behind }: Reading, options: AbortOptions): Promise<void> {
    await Promise.all(
      behind.map((contact) => this.#storeAt(contact, { key, write: record, ...options }))
    )
  }

  /** The nearest peers that answered, nearest first, without this node. */
  async nearest(key: Uint8Array, count: number, options: AbortOptions): Promise<PeerId[]> {
    const search = this.#search(key, count, { isSelfIncluded: false })
    await this.#settle(search, key, options)
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

  async #settle(search: Search, key: Uint8Array, options: AbortOptions): Promise<void> {
    for await (const _ of this.#lookup(search, key, options)) {
      // The search itself takes in the answers.
    }
  }

  #lookup(
    search: Search,
    key: Uint8Array,
    options: AbortOptions
  ): AsyncGenerator<LookupEvent, void, undefined> {
    return lookup(search, (contact, { signal }) => this.#find(contact, key, { signal }), options)
  }

  #find(contact: Contact, key: Uint8Array, options: AbortOptions): Promise<FindReply> {
    return this.#request(contact, options, (timed) => this.#init.channel.find(contact, key, timed))
  }

  /** Undefined if the peer gave no answer. */
  async #storeAt(
    contact: Contact,
    { key, write, ...options }: AbortOptions & { key: Uint8Array; write: DHTRecord }
  ): Promise<StoreOutcome | undefined> {
    const { channel, store } = this.#init

    if (contact === this.#self) {
      const applied = store.apply(key, write)
      return applied.isAccepted ? 'accepted' : applied.reason
    }

    try {
      return await this.#request(contact, options, (timed) =>
        channel.store(contact, key, write, timed)
      )
    } catch {
      options.signal?.throwIfAborted()
      return undefined
    }
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
