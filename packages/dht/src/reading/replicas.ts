import type { PeerId, PeerInfo } from '@libp2p/interface'
import { type DHTRecord, EMPTY_RECORD, isEmpty, type SubkeyId } from '@waggle/record'
import { beatingEntries, encodedSize, project } from '@waggle/record/replica'
import { MAX_LOOKUP_CANDIDATES, MAX_LOOKUP_REQUESTS, SEARCH_WIDTH } from '../constants.ts'
import type { UnreachableError } from '../errors.ts'
import type { LookupResponse } from '../lookup/lookup.ts'
import type { Lookups } from '../lookup/lookups.ts'
import type { StoreReply } from '../lookup/record-channel.ts'
import { Search } from '../lookup/search.ts'
import type { SearchInit } from '../lookup/search-init.ts'
import { pointOfKey, pointOfPeer } from '../peers/key-space.ts'
import { Neighbourhood } from '../peers/neighbourhood.ts'
import type { RecordStore } from '../store/record-store.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { Finding, type FindingNode } from './finding.ts'
import type { Complete, GatewayFallback } from './gateway-fallback.ts'
import { type KnownRecord, KnownRecords } from './known-records.ts'
import { Reach } from './reach.ts'
import { isSufficient, type Reading, type ReadOptions, type ReplicaState } from './reading.ts'
import { Survey, type Surveyed } from './survey.ts'
import type { WriteResult } from './write-replies.ts'
import { Writing } from './writing.ts'

export interface ReplicasInit extends Omit<FindingNode, 'known'> {
  /** The records of others that this node remembers; undefined: none. */
  readonly cache?: RecordStore | undefined

  /** The process's clock, in ms. @default performance.now */
  readonly nowMs?: (() => number) | undefined
  readonly self: PeerId
  readonly lookups: Lookups

  /** Whether this node holds records for others: a client does not. */
  readonly isReplica: () => boolean

  /** Whether servers that are out of reach may hold what all replicas lack (N15). @default never */
  readonly mayLack?: () => boolean

  /** The way to replicas that a client cannot dial (N14); undefined: there is none. */
  readonly gatewayFallback?: GatewayFallback | undefined
}

/** Reads in a row that find nothing after which the next one probably finds nothing, too. */
const LIKELY_AFTER_MISSES = 8

/** The nearest peers of a key after they were asked something. */
export interface AskedReplicas {
  /** The peers that responded, nearest first, without this node. */
  readonly responded: readonly PeerInfo[]

  /**
   * The last of the nearest peers that responded, this node included. Undefined: they are fewer than a key has
   * replicas, so any further peer is one.
   */
  readonly farthest: PeerInfo | undefined

  /** Set if too few responded: what the others hold is unknown (N11). */
  readonly error: UnreachableError | undefined
}

/**
 * Treats the nearest peers of a key as one place to read from and write to. This node is one of them where
 * it is near enough.
 */
export class Replicas {
  readonly known: KnownRecords
  readonly #init: ReplicasInit
  readonly #self: PeerInfo
  /** The parts that all reads share. */
  readonly #node: FindingNode
  /** Shared by all searches, of which there are many. */
  readonly #peers: Pick<SearchInit, 'isNeighbour' | 'nearest' | 'rankOf'>

  /** Reads in a row that found nothing. */
  #misses = 0

  constructor(init: ReplicasInit) {
    const { lookups, routing, self } = init
    const neighbourhood = new Neighbourhood(pointOfPeer(self), routing)
    this.#init = init
    this.known = new KnownRecords(init)
    this.#self = { id: self, multiaddrs: [] }
    this.#node = { ...init, known: this.known }
    this.#peers = {
      isNeighbour: ({ id }, target, count) => neighbourhood.has(target, pointOfPeer(id), count),
      nearest: (target, count) => routing.nearest(target, count),
      rankOf: (contact, referrer) => lookups.ranking.rankOf(contact, referrer)
    }
  }

  /**
   * Joins what the nearest peers hold, as far as the caller needs it (N5).
   *
   * @throws UnreachableError when nothing was found and too few peers responded to know that it is absent
   */
  read(key: Uint8Array, options: ReadOptions): Promise<Reading> {
    const { gatewayFallback, lookups, store } = this.#init
    const { known } = this
    const found = known.get(key, options.subkey)

    const isAny = !isEmpty(found.record)

    if (isAny && !known.isDoubted && isSufficient(found, options, store.clock())) {
      const { record, freshMs } = found
      return Promise.resolve({
        ...{ record, freshMs, end: 'known', behind: [], without: [], responded: 1 }
      })
    }

    const direct = (complete: Complete): Promise<Reading> => {
      const finding = this.#findingOf(key, options, found)
      return lookups.runFor(finding, (result) =>
        complete(finding.missing, () => this.#counted(finding.reading(result)))
      )
    }
    return gatewayFallback?.read(key, options, { known, direct }) ?? direct((_, read) => read())
  }

  /** Counts a reading that found nothing. */
  #counted(reading: Reading): Reading {
    const isMiss = isEmpty(reading.record) && reading.end === 'whole'
    this.#misses = isMiss ? this.#misses + 1 : 0
    return reading
  }

  #findingOf(key: Uint8Array, options: ReadOptions, known: KnownRecord): Finding {
    const { numReplicas, store } = this.#init
    const own = stateOf(this.#self, store.get(key), options.subkey)
    const search = this.#search(key, numReplicas)
    const isMissLikely = this.#misses >= LIKELY_AFTER_MISSES
    return new Finding({ node: this.#node, search, key, options, own, known, isMissLikely })
  }

  /**
   * Sends a write to the nearest peers that respond (N6), and returns their outcomes. A peer farther away
   * counts only if it was sent the write, and holds something that beats it.
   *
   * @param writer - the peer that writes, as `RecordStore.apply` takes it
   */
  write(
    key: Uint8Array,
    write: DHTRecord,
    cancellation: CancellationToken,
    writer?: string
  ): Promise<WriteResult> {
    const direct = (onMissing?: OnMissing): Promise<WriteResult> =>
      this.#write(key, write, cancellation, { writer, onMissing })
    return this.#init.gatewayFallback?.write(key, write, { cancellation, direct }) ?? direct()
  }

  async #write(
    key: Uint8Array,
    write: DHTRecord,
    cancellation: CancellationToken,
    { writer, onMissing }: { writer?: string | undefined; onMissing?: OnMissing | undefined }
  ): Promise<WriteResult> {
    const { lookups, numReplicas } = this.#init
    const search = this.#search(key, numReplicas, { answersInsteadOf: () => 1 })
    const reach = onMissing && new Reach({ node: this.#init, search, key, self: this.#self })
    const writing = new Writing({ node: this.#init, key, write, search, cancellation, reach })
    await lookups.run(writing)
    const nearest = search.answers()

    if (!cancellation.isCancelled && nearest.includes(this.#self)) {
      writing.replies.take(this.#self, await this.#storeHere(key, write, writer))
    }

    onMissing?.(cancellation.isCancelled || reach === undefined ? [] : reach.missing)
    return writing.replies.result(nearest)
  }

  /** Brings replicas up to date after a reading (N5). Failures are ignored. */
  async repair(key: Uint8Array, { record, behind }: Reading): Promise<void> {
    const { channel, lookups } = this.#init

    if (!this.#canBeHeld(record)) {
      return
    }

    await Promise.allSettled(
      behind.map((contact) =>
        contact === this.#self
          ? this.#storeHere(key, record)
          : lookups.inTime(
              contact,
              channel.store(contact, key, record, { closerCount: 0, cancellation: IN_BACKGROUND })
            )
      )
    )
  }

  /**
   * Caches a replica's present record at peers on the path without it (Kademlia §2.3); their replies do not matter.
   * They take it for new, so it is not sent late.
   */
  cacheOnPath(key: Uint8Array, record: DHTRecord, to: readonly PeerInfo[]): void {
    const cancellation = inBackgroundFor(MAX_COPY_DELAY_MS)

    for (const contact of this.#canBeHeld(record) ? to : []) {
      this.#init.channel
        .store(contact, key, record, { closerCount: 0, isCacheOnly: true, cancellation })
        .catch(() => {})
    }
  }

  /** Finds the nearest peers that respond, nearest first, without this node. */
  async findNearestPeers(
    key: Uint8Array,
    count: number,
    cancellation: CancellationToken
  ): Promise<PeerId[]> {
    const { channel, lookups, numReplicas } = this.#init
    const search = this.#search(key, count, { isSelfIncluded: false })
    const closerCount = Math.min(count, SEARCH_WIDTH)
    await lookups.run({
      ...{ search, cancellation, parallelism: numReplicas, isHedged: false },
      ask: (contact, cancellation) =>
        channel.find(contact, key, { closerCount, isCloserAlways: true, cancellation }),
      take: () => false
    })
    return search.answers().map(({ id }) => id)
  }

  /**
   * Asks the nearest `count` peers for their records, nearest first, with the failed ones in between. Repairs
   * nothing, and remembers nothing.
   */
  async survey(
    key: Uint8Array,
    count: number,
    cancellation: CancellationToken
  ): Promise<Surveyed[]> {
    const { channel, isReplica, lookups, numReplicas, store } = this.#init
    const survey = new Survey(pointOfKey(key))
    const search = this.#search(key, count)
    const closerCount = Math.min(count, SEARCH_WIDTH)
    await lookups.run({
      ...{ search, cancellation, parallelism: numReplicas, isHedged: false },
      ask: (contact, cancellation) => {
        survey.begin(contact)
        return channel.find(contact, key, { closerCount, isCloserAlways: true, cancellation })
      },
      take: (contact, reply) => {
        survey.end(contact, reply && (reply.record ?? EMPTY_RECORD))
        return false
      }
    })

    if (isReplica()) {
      survey.end(this.#self, store.get(key))
    }

    return survey.nearest(search.answers())
  }

  /** Asks the nearest peers something else. */
  async ask<R extends LookupResponse>(
    key: Uint8Array,
    cancellation: CancellationToken,
    ask: (contact: PeerInfo, cancellation: CancellationToken) => Promise<R>
  ): Promise<AskedReplicas> {
    const { lookups, numReplicas } = this.#init
    const search = this.#search(key, numReplicas)
    const reach = new Reach({ node: this.#init, search, key, self: this.#self })
    const parallelism = numReplicas
    await lookups.run({
      search,
      cancellation,
      parallelism,
      isHedged: false,
      ask,
      take: (contact, response) => {
        reach.record(contact, response)
        return false
      }
    })
    const nearest = search.answers()
    const responded = nearest.filter((contact) => contact !== this.#self)
    const isKnown = cancellation.isCancelled || reach.isSufficient
    isKnown || this.#init.gatewayFallback?.add(reach.missing)
    const error = isKnown ? undefined : reach.error()
    return { responded, farthest: nearest[numReplicas - 1], error }
  }

  /** Whether one peer can hold the record: replicas that differ may hold more together. */
  #canBeHeld(record: DHTRecord): boolean {
    return encodedSize(record) <= this.#init.store.limits.maxRecordBytes
  }

  #search(
    key: Uint8Array,
    count: number,
    { isSelfIncluded = this.#init.isReplica(), answersInsteadOf }: SearchOptions = {}
  ): Search {
    const search = new Search({
      ...this.#peers,
      target: pointOfKey(key),
      count,
      answersInsteadOf,
      maxCandidates: Math.max(MAX_LOOKUP_CANDIDATES, 4 * count),
      maxRequests: Math.max(MAX_LOOKUP_REQUESTS, 2 * count)
    })

    search.add([this.#self])

    if (isSelfIncluded) {
      search.recordResponse(this.#self)
    } else {
      search.exclude(this.#self)
    }

    return search
  }

  async #storeHere(
    key: Uint8Array,
    write: DHTRecord,
    writer?: string
  ): Promise<Omit<StoreReply, 'closer'>> {
    const { store } = this.#init
    const applied = store.apply(key, write, writer)

    if (!applied.isAccepted) {
      return { outcome: applied.reason, winner: beatingEntries(applied.record, write) }
    }

    try {
      await store.whenDurable()
      return ACCEPTED
    } catch {
      return FULL
    }
  }
}

interface SearchOptions extends Pick<SearchInit, 'answersInsteadOf'> {
  /** Whether this node counts as a peer that has responded. @default if it is a replica */
  readonly isSelfIncluded?: boolean
}

/** Called with the nearest servers that did not respond. */
type OnMissing = (missing: readonly PeerInfo[]) => void

/** Returns the wanted part of the record that a peer holds. */
function stateOf(contact: PeerInfo, record: DHTRecord, subkey: SubkeyId | undefined): ReplicaState {
  const wanted = subkey === undefined ? record : project(record, [subkey])
  return { contact, record: wanted, isHolder: !isEmpty(record) }
}

const ACCEPTED = { outcome: 'accepted' } as const
const FULL = { outcome: 'full' } as const

/** Nobody waits for these requests, and they let others pass. */
const IN_BACKGROUND: CancellationToken = { isCancelled: false, isBulk: true }

/** Milliseconds that a copy may wait to be sent. */
const MAX_COPY_DELAY_MS = 1000

/** Makes a token for such requests that are of no use after a time. */
function inBackgroundFor(ms: number): CancellationToken {
  const untilMs = performance.now() + ms
  return {
    isBulk: true,
    get isCancelled() {
      return performance.now() > untilMs
    }
  }
}
