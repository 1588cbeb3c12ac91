import type { PeerInfo } from '@libp2p/interface'
import { UnreachableError } from '@waggle/dht'
import type { NodeContact } from '../peers/node-contact.ts'
import { EMPTY_RECORD, type HivemindRecord, isEmpty, join } from '../record/record.ts'
import type { CancellationToken, Lookup, LookupResponse, Search } from '../waggle-parts.ts'

/** One node's response: the part of its record that passed the checks, and nodes nearer to the key. */
export interface FoundAnswer extends LookupResponse {
  readonly record: HivemindRecord
}

export interface FindLookupInit {
  readonly search: Search
  readonly cancellation: CancellationToken
  readonly isLatest: boolean
  readonly numReplicas: number
  readonly bucketSize: number

  /** Whether this node is a server, and so a network by itself. */
  readonly isServer: boolean
  readonly ask: (contact: NodeContact) => Promise<FoundAnswer>
  readonly isSufficient: (record: HivemindRecord) => boolean
}

/** The record of one node. */
export interface HeldBy {
  readonly contact: NodeContact
  readonly record: HivemindRecord
}

/**
 * Merges the records of nodes until the result is sufficient: asks one node after the other for any result, and the
 * nearest all at once for the latest. A key counts as absent only when as many nodes as Hivemind asks report it
 * absent.
 */
export class FindLookup implements Lookup<FoundAnswer> {
  readonly search: Search
  readonly isHedged: boolean
  readonly parallelism: number
  readonly answers: HeldBy[] = []
  readonly #init: FindLookupInit
  #failures = 0
  #record: HivemindRecord = EMPTY_RECORD
  #isRetried = false

  constructor(init: FindLookupInit) {
    this.#init = init
    this.search = init.search
    this.isHedged = !init.isLatest
    this.parallelism = init.isLatest ? init.numReplicas : 1
  }

  get cancellation(): CancellationToken {
    return this.#init.cancellation
  }

  /** The merged record of all nodes that responded. */
  get record(): HivemindRecord {
    return this.#record
  }

  ask(contact: PeerInfo): Promise<FoundAnswer> {
    return this.#init.ask(contact as NodeContact)
  }

  take(contact: PeerInfo, answer: FoundAnswer | undefined): boolean {
    if (answer === undefined) {
      this.#failures++
      this.#widenForFailure()
    } else {
      this.answers.push({ contact: contact as NodeContact, record: answer.record })
      this.#record = join(this.#record, answer.record)
    }

    if (this.#isMissing) {
      this.search.widen(this.#init.bucketSize)
      this.#retry()
    }

    return !this.#init.isLatest && this.#init.isSufficient(this.#record)
  }

  /**
   * Checks that at least one node responded. Otherwise the key's state is unknown.
   *
   * @throws UnreachableError
   */
  assertHeard(): void {
    if (this.answers.length > 0) {
      return
    }

    if (this.#failures > 0 || !this.#init.isServer) {
      throw new UnreachableError(this.#failures)
    }
  }

  /** Searches further when a peer fails: the next nearest peers may hold its records, too. */
  #widenForFailure(): void {
    const { isLatest, numReplicas, bucketSize } = this.#init

    if (isLatest) {
      this.search.widen(Math.min(numReplicas + this.#failures, bucketSize))
    }
  }

  /** Retries when so many peers failed that all holders may be among them. */
  #retry(): void {
    if (!this.#isRetried && this.#failures >= this.#init.numReplicas && this.search.isDone) {
      this.#isRetried = true
      this.search.retry()
    }
  }

  get #isMissing(): boolean {
    return isEmpty(this.#record) && this.search.isDone
  }
}
