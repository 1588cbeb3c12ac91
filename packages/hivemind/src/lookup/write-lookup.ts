import type { PeerInfo } from '@libp2p/interface'
import type { NodeContact } from '../peers/node-contact.ts'
import type { CancellationToken, Lookup, LookupResponse, Search } from '../waggle-parts.ts'

/** The outcome of a write at one replica. */
export type WriteOutcome = 'accepted' | 'beaten' | 'refused'

/** One node's response to a write. */
export interface WrittenAnswer extends LookupResponse {
  readonly outcome: WriteOutcome
}

export interface WriteLookupInit {
  readonly search: Search
  readonly cancellation: CancellationToken
  readonly numReplicas: number

  /** Nodes that are also queried for nearer ones, besides all that the search discovers. */
  readonly nodesAsked: number
  readonly store: (contact: NodeContact) => Promise<WriteOutcome>

  /** Queries a node for the nodes that it knows near the key. */
  readonly find: (contact: NodeContact) => Promise<readonly NodeContact[]>
}

/**
 * Searches for the nearest nodes and stores at them at once. A node that turns out not to be among them holds one
 * extra replica. A node that fails is replaced by the next nearest.
 */
export class WriteLookup implements Lookup<WrittenAnswer> {
  readonly search: Search
  readonly isHedged = false
  readonly parallelism: number
  readonly #init: WriteLookupInit
  readonly #known: Set<PeerInfo>
  readonly #outcomes = new Map<PeerInfo, WriteOutcome>()
  #asked = 0

  constructor(init: WriteLookupInit) {
    this.#init = init
    this.search = init.search
    this.parallelism = init.numReplicas
    this.#known = new Set(init.search.choices())
  }

  get cancellation(): CancellationToken {
    return this.#init.cancellation
  }

  async ask(contact: PeerInfo): Promise<WrittenAnswer> {
    const { nodesAsked, store, find } = this.#init
    const node = contact as NodeContact
    const isToAsk = this.#asked < nodesAsked || !this.#known.has(contact)
    this.#asked += Number(isToAsk)
    const [outcome, closer] = await Promise.all([store(node), isToAsk ? find(node) : []])
    return { outcome, closer }
  }

  take(contact: PeerInfo, answer: WrittenAnswer | undefined): boolean {
    if (answer !== undefined) {
      this.#outcomes.set(contact, answer.outcome)
    }

    return false
  }

  /**
   * The outcomes at the responding nodes nearest to the key, and at all that returned an entry that beats the
   * write.
   */
  outcomes(): WriteOutcome[] {
    const nearest = new Set(this.search.answers())
    return [...this.#outcomes].flatMap(([contact, outcome]) =>
      outcome === 'beaten' || nearest.has(contact) ? outcome : []
    )
  }
}
