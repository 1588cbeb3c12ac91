import type { PeerInfo } from '@libp2p/interface'
import { UnreachableError } from '@waggle/dht'
import type { NodeContact } from '../peers/node-contact.ts'
import { EMPTY_RECORD, type HivemindRecord, isEmpty, join } from '../record/record.ts'
import type { CancellationToken, Lookup, LookupResponse, Search } from '../waggle-parts.ts'

/** What one node answers: what it holds that passed the checks, and nodes nearer to the key. */
export interface FoundAnswer extends LookupResponse {
  readonly record: HivemindRecord
}

export interface FindLookupInit {
  readonly search: Search
  readonly cancellation: CancellationToken
  readonly isLatest: boolean
  readonly numReplicas: number
  readonly bucketSize: number

  /** Whether this node is no client, and so a network by itself. */
  readonly isServer: boolean
  readonly ask: (contact: NodeContact) => Promise<FoundAnswer>
  readonly isSufficient: (record: HivemindRecord) => boolean
}

/** What one node holds. */
export interface HeldBy {
  readonly contact: NodeContact
  readonly record: HivemindRecord
}

/**
 * Merges what nodes hold until it is good enough: asks one after the other for any answer, the
 * nearest all at once for the latest. A key is absent only when as many nodes as Hivemind asks say
 * so.
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

  /** What all who answered hold together. */
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
   * Says so when nobody answered, and nobody can know whether anything is there.
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

  /** What a peer holds that does not answer now may be at the next nearest ones, too. */
  #widenForFailure(): void {
    const { isLatest, numReplicas, bucketSize } = this.#init

    if (isLatest) {
      this.search.widen(Math.min(numReplicas + this.#failures, bucketSize))
    }
  }

  /** So many have failed that all who hold it may be among them. */
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
