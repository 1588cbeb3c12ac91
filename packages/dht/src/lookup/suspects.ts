import type { PeerInfo } from '@libp2p/interface'
import type { PeerBook } from '../peers/peer-book.ts'
import { Request } from './lookup-run.ts'
import type { WaitingRequests } from './waiting-requests.ts'

export interface SuspectsInit {
  readonly peers: PeerBook

  /** The requests in flight of all lookups. */
  readonly requests: WaitingRequests

  /** Called when a lookup no longer waits for a request, so that it chooses its next peers. */
  readonly onSuspect: (request: Request) => void
}

/**
 * The peers that make no progress: lookups do not wait for their requests where others can replace them, until they
 * respond (N8n).
 */
export class Suspects {
  readonly #init: SuspectsInit

  constructor(init: SuspectsInit) {
    this.#init = init
  }

  /** Whether a peer is one. */
  has(contact: PeerInfo): boolean {
    return this.#init.peers.suspicionOf(contact) !== 'none'
  }

  /** Has a lookup wait no longer for a request, but query other peers. */
  add(request: Request): void {
    const { contact, run } = request
    request.suspect()
    this.#init.requests.recordSuspicion(contact)
    run.lookup.search.recordSuspicion(contact)

    try {
      run.lookup.onSuspect?.()
    } catch (error) {
      run.fail(error)
    }

    this.#init.onSuspect(request)
  }

  /** Handles a request without progress. */
  onLate(request: Request): void {
    const { contact, run } = request
    const { peers } = this.#init
    this.recordSilence(contact, () => peers.recordSuspicion(contact.id))

    if (request.isSuspect && peers.suspicionOf(contact) === 'silent') {
      run.lookup.search.giveUp(contact)
    }

    this.add(request)
  }

  /** Records an observation of a peer. If that makes it a suspect, its earlier requests are waited for no longer. */
  recordSilence(contact: PeerInfo, record: () => void): void {
    const wasSuspect = this.has(contact)
    record()

    for (const request of wasSuspect ? [] : this.#init.requests.requestsTo(contact)) {
      if (request instanceof Request && this.has(request.contact)) {
        this.add(request)
      }
    }
  }

  /** Has lookups wait again for the requests to a peer that has responded. Returns whether it was a suspect. */
  trust(contact: PeerInfo): boolean {
    const { requests } = this.#init
    const suspected = requests.takeSuspected(contact)

    for (const request of suspected) {
      if (request instanceof Request && !request.run.isCancelled) {
        request.trust()
        request.run.lookup.search.recordTrust(request.contact)
        requests.reschedule(request)
      }
    }

    return suspected.length > 0
  }
}
