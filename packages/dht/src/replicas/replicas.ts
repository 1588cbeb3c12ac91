import type { PeerId } from '@libp2p/interface'
import {
  type DHTRecord,
  type DHTTime,
  EMPTY_RECORD,
  encodedSize,
  isEmpty,
  join,
  shownExpiration,
  subsumes
} from '@waggle/record'
import { SEARCH_WIDTH } from '../constants.ts'
import { UnreachableError } from '../errors.ts'
import type { Contact, RecordChannel, Routing, StoreOutcome, Wanted } from '../interface.ts'
import type { Avoidance } from '../lookup/avoidance.ts'
import { pointOfKey } from '../lookup/key-space.ts'
import type { Answer, Lookups } from '../lookup/lookups.ts'
import { Search } from '../lookup/search.ts'
import { DEFAULT_NODE_LIMITS, type NodeLimits } from '../node-limits.ts'
import type { RecordStore } from '../store/record-store.ts'
import { BusyPeers } from './busy-peers.ts'
import { Finding, type FindingInit } from './finding.ts'

export interface ReplicasInit {
  readonly self: PeerId
  readonly store: RecordStore
  readonly channel: RecordChannel
  readonly routing: Routing
  readonly avoidance: Avoidance
  readonly lookups: Lookups
  readonly numReplicas: number

  /** Which peers are asked after all others, besides those that failed. */
  readonly isDoubtful?: (contact: Contact) => boolean

  /** @default DEFAULT_NODE_LIMITS */
  readonly limits?: NodeLimits | undefined

  /** Whether this node holds records for others: a client does not. */
  readonly isReplica: () => boolean
}

export interface ReadOptions {
  readonly wanted: Wanted
  readonly latest?: boolean | undefined
  readonly sufficientExpirationTime?: number | undefined

  /** Hears of what has been found so far. */
  onRecord?(record: DHTRecord): void
}

export interface Reading {
  /** What the peers that answered hold together. */
  readonly record: DHTRecord

  /** Whether it was good enough before all were asked, or all were, or nobody wanted it any more. */
  readonly end: 'enough' | 'whole' | 'given up'

  /** The nearest replicas that lack some of it, when all were asked. */
  readonly behind: readonly Contact[]

  /** When not all were asked, those that had nothing and are nearer than one that had something. */
  readonly without: readonly Contact[]
}

interface FindingOptions extends ReadOptions {
  readonly closerCount?: number
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
   * over yet, so that a key is absent only when many more peers than hold a record say so. Nor is it
   * when so many have failed that all who hold it may be among them: these are asked once more.
   *
   * @throws UnreachableError when nobody answered, so that nobody can say whether there is anything
   */
  async read(key: Uint8Array, options: ReadOptions): Promise<Reading> {
    const { store, numReplicas } = this.#init
    let record = store.get(key)
    let isEnough = this.#isEnough(record, options)

    if (isEnough) {
      return { record, end: 'enough', behind: [], without: [] }
    }

    const own = { contact: this.#self, record }
    const search = this.#search(key, numReplicas)
    const answers: Held[] = []
    const failed: Contact[] = []
    let failures = 0
    const busy = new BusyPeers()

    if (search.isDone && isEmpty(record)) {
      search.widen(SEARCH_WIDTH)
    }

    await this.#find(search, key, options, (contact, answer, error) => {
      if (answer === undefined) {
        failures++
        failed.push(contact)
        busy.note(error)
      } else {
        answers.push({ contact, record: answer.record ?? EMPTY_RECORD })
      }

      if (answer?.record !== undefined) {
        record = join(record, answer.record, store.limits)
        options.onRecord?.(record)
      }

      if (search.isDone && isEmpty(record)) {
        search.widen(SEARCH_WIDTH)
      }

      if (search.isDone && isEmpty(record) && failures >= numReplicas) {
        search.retry()
        failures = Number.NEGATIVE_INFINITY
      }

      isEnough = this.#isEnough(record, options)
      return isEnough
    })

    if (isEnough) {
      return { record, end: 'enough', behind: [], without: emptyHanded(answers, search) }
    }

    busy.assertAny(answers.length > 0 || !isEmpty(record))

    if (search.isDone && isEmpty(record) && answers.length === 0) {
      this.#throwIfUnreachable(failed)
    }

    const nearest = search.answers().slice(0, numReplicas)
    const behind = this.#lacking([own, ...answers], nearest, record)
    return { record, end: search.isDone ? 'whole' : 'given up', behind, without: [] }
  }

  /**
   * Sends a write to the nearest peers that answer (N6), and says what each made of it. Searching
   * and storing are one: a peer that knows nearer ones says so as it answers, and what it holds by
   * then does no harm.
   */
  async write(key: Uint8Array, write: DHTRecord, wanted: Wanted): Promise<StoreOutcome[]> {
    const { channel, lookups, numReplicas } = this.#init
    const search = this.#search(key, numReplicas)
    const outcomes = new Map<Contact, StoreOutcome>()
    const busy = new BusyPeers()

    await lookups.run({
      search,
      wanted,
      parallelism: numReplicas,
      isHedged: false,
      ask: (contact, request) =>
        channel.store(contact, key, write, { request, closerCount: numReplicas }),
      take: (contact, answer, error) => {
        busy.note(error)

        if (answer !== undefined) {
          outcomes.set(contact, answer.outcome)
        }

        return false
      }
    })

    const nearest = search.answers()

    if (wanted.isWanted && nearest.includes(this.#self)) {
      outcomes.set(this.#self, await this.#storeHere(key, write))
    }

    busy.assertAny(outcomes.size > 0)
    return nearest.flatMap((contact) => outcomes.get(contact) ?? [])
  }

  /** Brings replicas up to date after a reading (N5); those that fail are left as they are. */
  async repair(key: Uint8Array, { record, behind }: Reading): Promise<void> {
    const { channel, store, lookups } = this.#init

    if (encodedSize(record) > store.limits.maxRecordBytes) {
      // No replica could hold all that they hold together.
      return
    }

    await Promise.allSettled(
      behind.map((contact) =>
        contact === this.#self
          ? this.#storeHere(key, record)
          : lookups.inTime(contact, channel.store(contact, key, record, { closerCount: 0 }))
      )
    )
  }

  /** Leaves copies with peers that hold nothing; whether they take them does not matter. */
  lend(key: Uint8Array, record: DHTRecord, to: readonly Contact[]): void {
    for (const contact of to) {
      this.#init.channel
        .store(contact, key, record, { closerCount: 0, isCopy: true })
        .catch(() => {})
    }
  }

  /** The nearest peers that answered, nearest first, without this node. */
  async nearest(key: Uint8Array, count: number, wanted: Wanted): Promise<PeerId[]> {
    const search = this.#search(key, count, { isSelfIncluded: false })
    const options = { wanted, latest: true, closerCount: count }
    await this.#find(search, key, options, () => false)
    return search.answers().map(({ id }) => id)
  }

  /** A server that knows nobody is a network of its own; a client is not. */
  #throwIfUnreachable(failed: readonly Contact[]): void {
    if (failed.length > 0 || !this.#init.isReplica()) {
      throw new UnreachableError(new Set(failed.map(({ id }) => id.toString())).size)
    }
  }

  /** Asks the nearest peers something else, and gives back those that answered, without this node. */
  async ask<A extends Answer>(
    key: Uint8Array,
    wanted: Wanted,
    ask: (contact: Contact, request: Wanted) => Promise<A>
  ): Promise<Contact[]> {
    const { lookups, numReplicas } = this.#init
    const search = this.#search(key, numReplicas)
    const parallelism = numReplicas
    await lookups.run({ search, wanted, parallelism, isHedged: false, ask, take: () => false })
    return search.answers().filter((contact) => contact !== this.#self)
  }

  #search(
    key: Uint8Array,
    count: number,
    { isSelfIncluded = this.#init.isReplica() } = {}
  ): Search {
    const target = pointOfKey(key)
    const { maxLookupCandidates, maxLookupRequests } = this.#init.limits ?? DEFAULT_NODE_LIMITS
    const search = new Search({
      ...{ target, count },
      maxCandidates: Math.max(maxLookupCandidates, 4 * count),
      maxRequests: Math.max(maxLookupRequests, 2 * count),
      nearest: (most) => this.#init.routing.nearest(target, most),
      isAvoided: (contact) =>
        this.#init.avoidance.has(contact.id) || this.#init.isDoubtful?.(contact) === true
    })

    search.add([this.#self])

    if (isSelfIncluded) {
      search.answered(this.#self)
    } else {
      search.exclude(this.#self)
    }

    return search
  }

  /** Those of the nearest peers that do not hold all of the record. */
  #lacking(answers: readonly Held[], nearest: readonly Contact[], record: DHTRecord): Contact[] {
    const { limits } = this.#init.store
    return nearest.filter((contact) => {
      const held = answers.find((answer) => answer.contact === contact)
      return held !== undefined && !subsumes(held.record, record, limits)
    })
  }

  #find(
    search: Search,
    key: Uint8Array,
    { wanted, latest = false, closerCount = this.#init.numReplicas }: FindingOptions,
    take: FindingInit['take']
  ): Promise<void> {
    const { channel, lookups, numReplicas } = this.#init
    return lookups.run(
      new Finding({ channel, search, key, wanted, latest, numReplicas, closerCount, take })
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

  #isEnough(record: DHTRecord, options: ReadOptions): boolean {
    return isSufficient(record, options, this.#init.store.clock())
  }
}

/** What one peer holds. */
interface Held {
  readonly contact: Contact
  readonly record: DHTRecord
}

/** The peers that answered and hold nothing, of those nearer than one that does; nearest first. */
function emptyHanded(answers: readonly Held[], search: Search): Contact[] {
  if (answers.length < 2) {
    return []
  }

  const isEmptyHanded = (contact: Contact): boolean =>
    answers.some((answer) => answer.contact === contact && isEmpty(answer.record))
  const isHolder = (contact: Contact): boolean =>
    answers.some((answer) => answer.contact === contact && !isEmpty(answer.record))
  const nearest = search.answers()
  return nearest.slice(0, Math.max(nearest.findLastIndex(isHolder), 0)).filter(isEmptyHanded)
}

/** Whether a reader need not be told more than this (N5). With `latest` nothing less than all will do. */
export function isSufficient(
  record: DHTRecord,
  { latest = false, sufficientExpirationTime = 0 }: ReadOptions,
  now: DHTTime
): boolean {
  if (latest) {
    return false
  }

  const expirationTime = shownExpiration(record, now)
  return expirationTime !== undefined && expirationTime >= sufficientExpirationTime
}
