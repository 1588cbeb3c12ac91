import type { PeerInfo } from '@libp2p/interface'
import { type DHTRecord, EMPTY_RECORD, isEmpty, join } from '@waggle/record'
import { SEARCH_WIDTH } from '../constants.ts'
import { UnreachableError } from '../errors.ts'
import type { Lookup } from '../lookup/lookups.ts'
import type { FindReply, RecordChannel } from '../lookup/record-channel.ts'
import type { Search } from '../lookup/search.ts'
import type { RecordStore } from '../store/record-store.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { BusyPeers } from './busy-peers.ts'
import {
  emptyHanded,
  type Held,
  isSufficient,
  lacking,
  type Reading,
  type ReadOptions
} from './reading.ts'

export interface FindingInit {
  readonly node: FindingNode
  readonly search: Search
  readonly key: Uint8Array
  readonly options: ReadOptions

  /** What this node holds itself. */
  readonly own: Held
}

/** What every finding of a node needs. */
export interface FindingNode {
  readonly store: RecordStore
  readonly channel: RecordChannel
  readonly numReplicas: number

  /** Whether this node holds records for others: a client does not. */
  readonly isReplica: () => boolean
}

/**
 * Joins what peers hold until it is good enough (N5): asks one after the other for any answer, all
 * replicas at once for the latest. Nobody near a new peer may have handed over yet, so that a key is
 * absent only when many more peers than hold a record say so. Nor is it when so many have failed
 * that all who hold it may be among them: these are asked once more.
 */
export class Finding implements Lookup<FindReply> {
  readonly search: Search
  readonly isHedged: boolean
  readonly parallelism: number
  readonly #init: FindingInit
  readonly #answers: Held[] = []
  readonly #failed: PeerInfo[] = []
  readonly #busy = new BusyPeers()
  #record: DHTRecord
  #isEnough = false
  #isRetried = false

  constructor(init: FindingInit) {
    const { node, options, own, search } = init
    this.#init = init
    this.#record = own.record
    this.search = search
    this.isHedged = options.latest !== true
    this.parallelism = this.isHedged ? 1 : node.numReplicas
    this.#widen()
  }

  get cancellation(): CancellationToken {
    return this.#init.options.cancellation
  }

  ask(contact: PeerInfo, cancellation: CancellationToken): Promise<FindReply> {
    const { key, node } = this.#init
    const closerCount = Math.min(node.numReplicas, SEARCH_WIDTH)
    return node.channel.find(contact, key, {
      closerCount,
      isCloserAlways: !this.isHedged,
      cancellation
    })
  }

  take(contact: PeerInfo, answer: FindReply | undefined, error?: Error): boolean {
    if (answer === undefined) {
      this.#failed.push(contact)
      this.#busy.note(error)
    } else {
      this.#hold(contact, answer.record)
    }

    this.#widen()
    this.#retry()
    return this.#isEnough
  }

  /**
   * What has been found, once the lookup is over.
   *
   * @throws BusyError when nobody answered, and some were busy
   * @throws UnreachableError when nobody answered, so that nobody can say whether there is anything
   */
  reading(): Reading {
    const { search } = this
    const record = this.#record

    if (this.#isEnough) {
      const answers = this.#answers
      const without = answers.length < 2 ? [] : emptyHanded(answers, search.answers())
      return { record, end: 'enough', behind: [], without }
    }

    this.#assertHeard()
    const { node, own } = this.#init
    const nearest = search.answers().slice(0, node.numReplicas)
    const behind = lacking(record, [own, ...this.#answers], nearest, node.store.limits)
    return { record, end: search.isDone ? 'whole' : 'given up', behind, without: [] }
  }

  #hold(contact: PeerInfo, record: DHTRecord = EMPTY_RECORD): void {
    const { node, options } = this.#init
    this.#answers.push({ contact, record })

    if (!isEmpty(record)) {
      // What has passed the checks is as a join with nothing would leave it.
      this.#record = isEmpty(this.#record) ? record : join(this.#record, record, node.store.limits)
      options.onRecord?.(this.#record)
      this.#isEnough = isSufficient(this.#record, options, node.store.clock())
    }
  }

  #widen(): void {
    if (this.#isMissing) {
      this.search.widen(SEARCH_WIDTH)
    }
  }

  #retry(): void {
    if (!this.#isRetried && this.#failed.length >= this.#init.node.numReplicas && this.#isMissing) {
      this.search.retry()
      this.#isRetried = true
    }
  }

  /** Whether all that were to be asked have been, and nothing was found. */
  get #isMissing(): boolean {
    return isEmpty(this.#record) && this.search.isDone
  }

  /** A server that knows nobody is a network of its own; a client is not. */
  #assertHeard(): void {
    this.#busy.assertAny(this.#answers.length > 0 || !isEmpty(this.#record))
    const isUnheard = this.#answers.length === 0 && this.#isMissing

    if (isUnheard && (this.#failed.length > 0 || !this.#init.node.isReplica())) {
      throw new UnreachableError(new Set(this.#failed.map(({ id }) => id.toString())).size)
    }
  }
}
