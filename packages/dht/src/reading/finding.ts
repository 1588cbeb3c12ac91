import type { PeerInfo } from '@libp2p/interface'
import { type DHTRecord, EMPTY_RECORD, isEmpty, join, type SubkeyId } from '@waggle/record'
import { SEARCH_WIDTH } from '../constants.ts'
import type { Lookup, LookupResult } from '../lookup/lookup.ts'
import type { FindReply, RecordChannel } from '../lookup/record-channel.ts'
import type { Search } from '../lookup/search.ts'
import { pointOfKey } from '../peers/key-space.ts'
import type { Membership } from '../peers/routing.ts'
import { digestOf } from '../store/record-digest.ts'
import type { RecordStore } from '../store/record-store.ts'
import { NEVER_FRESH } from '../store/stored-record.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { MAX_AGE_SECONDS, UNKNOWN_AGE_MS } from '../wire/limits.ts'
import type { KnownRecord, KnownRecords } from './known-records.ts'
import { Reach } from './reach.ts'
import {
  assertNotBusy,
  isSufficient,
  type Reading,
  type ReadOptions,
  type ReplicaState,
  replicasBehind,
  replicasWithout
} from './reading.ts'

export interface FindingInit {
  readonly node: FindingNode
  readonly search: Search
  readonly key: Uint8Array
  readonly options: ReadOptions

  /** The part of the record that this node stores itself. It counts if the node is found to be one of the nearest. */
  readonly own: ReplicaState

  /** The record that this node knew at the beginning. */
  readonly known: KnownRecord

  /** Whether all replicas will probably have to say that nothing is there. They are then asked at once. @default false */
  readonly isMissLikely?: boolean
}

/** The parts that all reads of a node share. */
export interface FindingNode {
  readonly store: RecordStore

  /** The records that this node knows already, as a reader. */
  readonly known: KnownRecords
  readonly channel: RecordChannel
  readonly routing: Membership
  readonly numReplicas: number

  /** Whether servers that are out of reach may hold what all replicas lack. @default never */
  readonly mayLack?: () => boolean
}

/** A reply, and by when its record had all that a replica held. */
interface FreshReply extends FindReply {
  readonly freshMs: number
}

/**
 * Joins what peers hold until it is good enough (N5). A plain read asks one peer after the other, a
 * read of the latest all replicas at once. Replicas may not have handed over to new peers yet, so many
 * more peers than hold a record are asked before a key counts as absent, unless all replicas say that
 * none has come near it. If too few of its nearest servers have answered by then (N11), those that
 * failed are asked once more.
 *
 * Of a single subkey, peers answer with projections. A replica that holds the key without it says that
 * it is not there, so no more peers are asked.
 */
export class Finding implements Lookup<FreshReply> {
  readonly search: Search
  readonly cancellation: CancellationToken
  readonly isHedged: boolean
  readonly parallelism: number
  readonly #init: FindingInit
  readonly #reach: Reach
  readonly #answers: ReplicaState[] = []

  readonly #startMs: number
  readonly #subkeys: readonly SubkeyId[]
  #record: DHTRecord

  /** By when an answer had all that a replica held. What this node knew may lack tombstones of what answers add. */
  #freshMs: number = NEVER_FRESH

  /** Whether the last record that came is a copy. Nobody is sent a copy of that, which would hide its age. */
  #isCopied = false

  /** Whether any replica holds the key. */
  #isHeard: boolean

  /** Whether any replica holds some of the wanted entries. */
  #isFound: boolean
  #isEnough = false
  #isRetried = false

  constructor(init: FindingInit) {
    const { isMissLikely = false, key, known, node, options, own, search } = init
    const { record, isHeld } = known
    const { subkey } = options
    this.#init = init
    this.#reach = new Reach({ node, search, key, self: own.contact })
    this.#subkeys = subkey === undefined ? NO_SUBKEYS : [subkey]
    this.#startMs = node.known.nowMs()
    this.#record = record
    this.#isHeard = isHeld
    this.#isFound = isHeld && (subkey === undefined || !isEmpty(node.known.held(key, subkey)))
    this.search = search
    this.cancellation = options.cancellation
    this.isHedged = options.latest !== true
    const isOneEnough = this.isHedged && (!isMissLikely || options.cancellation.isBulk === true)
    this.parallelism = isOneEnough ? 1 : node.numReplicas
    this.#widen()
  }

  /**
   * Asks a peer. The age of its record counts from the request: the peer may answer at once, and the line be slow.
   */
  ask(contact: PeerInfo, cancellation: CancellationToken): Promise<FreshReply> {
    const { key, node } = this.#init
    const known = this.#record
    const askedMs = node.known.nowMs()
    const asked = node.channel.find(contact, key, {
      cancellation,
      closerCount: Math.min(node.numReplicas, SEARCH_WIDTH),
      isCloserAlways: !this.isHedged,
      maxAge: this.#maxAgeAt(askedMs),
      subkeys: this.#subkeys,
      digest: digestOf(known)
    })
    return asked.then((reply) => {
      const record = reply.isSame === true ? known : reply.record
      const { ageMs = 0 } = reply
      return { ...reply, record, freshMs: ageMs === UNKNOWN_AGE_MS ? NEVER_FRESH : askedMs - ageMs }
    })
  }

  take(contact: PeerInfo, answer: FreshReply | undefined): boolean {
    this.#reach.record(contact, answer)

    if (answer !== undefined) {
      this.#hold(contact, answer)
    }

    this.#widen()
    this.#retry()
    return this.#isEnough
  }

  onSuspect(): void {
    this.#widen()
    this.#retry()
  }

  /**
   * The nearest servers that did not respond, where too few did; none if the caller has its answer.
   */
  get missing(): readonly PeerInfo[] {
    const isOver = this.#isEnough || this.cancellation.isCancelled || this.#reach.isSufficient
    return isOver ? [] : this.#reach.missing
  }

  /**
   * Says what has been found, once the lookup is over.
   *
   * @throws BusyError when nothing was found, too few answered to say that nothing is there, and some were busy
   * @throws UnreachableError when nothing was found, and too few answered to say that nothing is there
   */
  reading(result: LookupResult): Reading {
    const { search } = this

    if (this.#isEnough) {
      const answers = this.#answers
      // A projection is no copy of the record that others could use.
      const isForPath = answers.length > 1 && !this.#isCopied && this.#subkeys.length === 0
      const without = isForPath ? replicasWithout(answers, search.answers()) : []
      const { responded } = this.#reach
      const freshMs = this.#freshMs
      return { record: this.#record, freshMs, end: 'enough', behind: [], without, responded }
    }

    this.#assertKnown(result)
    const { node, own } = this.#init
    const nearest = this.#nearest
    const { limits } = node.store
    const record = this.#isNear ? join(this.#record, own.record, limits) : this.#record
    const behind = replicasBehind(record, this.#repairable(own), nearest, limits)
    const [end, freshMs] = search.isDone
      ? (['whole', this.#startMs] as const)
      : (['given up', this.#freshMs] as const)
    return { record, freshMs, end, behind, without: [], responded: nearest.length }
  }

  /**
   * Lists the peers that may be sent missing entries. A peer without the record would take one subkey for all of it.
   */
  #repairable(own: ReplicaState): ReplicaState[] {
    const states = [own, ...this.#answers]
    return this.#subkeys.length === 0 ? states : states.filter(({ isHolder }) => isHolder)
  }

  /** Seconds that a copy may be old which is asked for at a time. Requests of one turn ask for the same. */
  #maxAgeAt(askedMs: number): number {
    const { latest, minFreshMs = NEVER_FRESH } = this.#init.options
    const maxAge = Math.floor((askedMs - minFreshMs + 1) / 1000)
    return latest === true ? 0 : Math.max(Math.min(maxAge, MAX_AGE_SECONDS), 0)
  }

  #hold(contact: PeerInfo, { record: answered, freshMs, ageMs, isAbsent }: FreshReply): void {
    const { key, node, options } = this.#init
    const record = answered ?? EMPTY_RECORD
    const isHolder = !isEmpty(record) || (answered !== undefined && this.#subkeys.length > 0)
    this.#answers.push({ contact, record, isHolder, isAbsent })
    this.#isHeard ||= isHolder

    if (!isEmpty(record)) {
      // A record that has passed the checks is as a join with nothing would leave it. More may be known by now.
      const found = isEmpty(this.#record) ? record : join(this.#record, record, node.store.limits)
      this.#record = node.known.complete(key, found, options.subkey)
      this.#isFound = true
      this.#isCopied = ageMs !== undefined
      this.#freshMs = Math.max(this.#freshMs, freshMs)
      const sofar = { record: this.#record, freshMs: this.#freshMs }
      options.onRecord?.(sofar)
      this.#isEnough = isSufficient(sofar, options, node.store.clock())
    }
  }

  #widen(): void {
    const isHeard = this.#isHeard || (this.#init.own.isHolder && this.#isNear)

    if (this.#isMissing && !isHeard && !this.#isSettled) {
      this.search.widen(SEARCH_WIDTH)
    }
  }

  #retry(): void {
    if (!this.#isRetried && this.#isMissing && !this.#reach.isSufficient) {
      this.search.retry()
      this.#isRetried = true
    }
  }

  /** Whether all that were to be asked have been, and nothing was found. */
  get #isMissing(): boolean {
    return !this.#isFound && this.search.isDone && !this.#isOwnFound
  }

  /** Whether no peer behind the replicas can hold what none of them does. */
  get #isSettled(): boolean {
    const { key, node, own } = this.#init
    const nearest = this.#nearest
    const isSettled = (contact: PeerInfo): boolean =>
      contact === own.contact
        ? node.routing.isSettled(pointOfKey(key), node.numReplicas)
        : this.#answers.some((answer) => answer.contact === contact && answer.isAbsent === true)
    const isComplete = nearest.length === node.numReplicas && node.mayLack?.() !== true
    return isComplete && nearest.every(isSettled)
  }

  get #nearest(): PeerInfo[] {
    return this.search.answers().slice(0, this.#init.node.numReplicas)
  }

  /** Whether this node turned out to be a replica that holds something. */
  get #isOwnFound(): boolean {
    return !isEmpty(this.#init.own.record) && this.#isNear
  }

  /** Whether this node turned out to be one of the nearest. */
  get #isNear(): boolean {
    return this.#nearest.includes(this.#init.own.contact)
  }

  /** A key that nobody was found to hold is absent if enough of its nearest servers say so (N11). */
  #assertKnown(result: LookupResult): void {
    if (this.#isMissing && !this.#reach.isSufficient) {
      assertNotBusy(result, false)
      throw this.#reach.error()
    }
  }
}

const NO_SUBKEYS: readonly SubkeyId[] = []
