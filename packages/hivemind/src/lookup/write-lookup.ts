import type { PeerInfo } from '@libp2p/interface'
import type { NodeContact } from '../peers/node-contact.ts'
import type { CancellationToken, Lookup, LookupResponse, Search } from '../waggle-parts.ts'

/** What a replica made of a write. */
export type WriteOutcome = 'accepted' | 'beaten' | 'refused'

/** What one node answers to a write. */
export interface WrittenAnswer extends LookupResponse {
  readonly outcome: WriteOutcome
}

export interface WriteLookupInit {
  readonly search: Search
  readonly cancellation: CancellationToken
  readonly numReplicas: number

  /** Nodes that are also asked for nearer ones, besides all that come to light by it. */
  readonly nodesAsked: number
  readonly store: (contact: NodeContact) => Promise<WriteOutcome>

  /** Nodes near to the key that a node knows. */
  readonly find: (contact: NodeContact) => Promise<readonly NodeContact[]>
}

/**
 * Searches for the nearest nodes and stores at them at once: whoever turns out not to be among them
 * holds one replica more. A node that fails is replaced by the next nearest.
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

  /** What the nodes that answered made of it: those nearest to the key, and all that proved it beaten. */
  outcomes(): WriteOutcome[] {
    const nearest = new Set(this.search.answers())
    return [...this.#outcomes].flatMap(([contact, outcome]) =>
      outcome === 'beaten' || nearest.has(contact) ? outcome : []
    )
  }
}
