import type { PeerInfo } from '@libp2p/interface'
import type { Request, Run } from './lookup-run.ts'

/** Dials of one lookup, one after the other, after which it dials all: liars could name ever nearer peers that do not exist. */
const MAX_SINGLE_DIALS = 3

export interface FirstDialsInit {
  /** Whether a request to a peer needs no dial, and will probably be answered soon. */
  readonly isReady: (contact: PeerInfo) => boolean

  /** Orders peers by how soon they should respond. */
  readonly inOrder: (contacts: readonly PeerInfo[]) => readonly PeerInfo[]
}

/**
 * Saves a lookup that queries several peers at once dials to peers that are not the nearest (N10e). It begins with the
 * connected ones among the nearest known peers, which may return nearer ones. Then it dials one peer after the other,
 * until a neighbour of the target has responded, which knows the nearest ones.
 */
export class FirstDials {
  readonly #init: FirstDialsInit

  /** Whether the last response that could have named nearer peers than this node knew named none. */
  #knowsNearest = false

  constructor(init: FirstDialsInit) {
    this.#init = init
  }

  /** The peers that a lookup may query now. */
  choices(run: Run): readonly PeerInfo[] {
    const { isHedged, search } = run.lookup
    const choices = search.choices()

    if (isHedged || run.isInformed) {
      return choices
    }

    const connected = choices.filter((contact) => this.#init.isReady(contact))
    const isWaiting = run.dialling > 0 || (run.inFlight > 0 && !run.hasResponse)
    const mustDial = connected.length === 0 && !isWaiting
    // A node that is one of the nearest itself knows the others.
    const isKnown =
      (mustDial && this.#knowsNearest && !run.hasResponse) ||
      search.answers().some((contact) => search.isNeighbour(contact))
    run.isInformed = isKnown && search.areLikely

    if (run.isInformed) {
      return choices
    }

    return mustDial ? this.#init.inOrder(choices).slice(0, 1) : connected
  }

  /** Takes note of a response that the search has taken. `isFirst`: nobody near has responded before. */
  recordResponse(
    { contact, isConnected, run }: Request,
    { isAnyNearer, isFirst }: { readonly isAnyNearer: boolean; readonly isFirst: boolean }
  ): void {
    const { search } = run.lookup
    run.hasResponse = true
    run.dialled += Number(!isConnected)

    if (isFirst) {
      this.#knowsNearest = !isAnyNearer
    }

    run.isInformed ||=
      run.dialled === MAX_SINGLE_DIALS ||
      ((!isAnyNearer || search.isNeighbour(contact)) && search.areLikely)
  }
}
