import type { PeerId } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import type { StandIn } from '../pages/stand-in.ts'

/** The role of a node to others: a server, a client, or a page that stands in for servers (N15). */
export class Role {
  readonly #kad: Pick<KadDHT, 'getMode'>

  /** Set once for a page that talks to other pages. */
  standIn: StandIn | undefined

  constructor(kad: Pick<KadDHT, 'getMode'>) {
    this.#kad = kad
  }

  get isServer(): boolean {
    return this.#kad.getMode() === 'server'
  }

  /** Whether this node stores records for others. */
  get isReplica(): boolean {
    return this.isServer || this.standIn?.isReplica === true
  }

  /** Whether servers that are out of reach may hold what all replicas lack. */
  get mayLack(): boolean {
    return this.standIn?.mayLack === true
  }

  /** Whether a member of the network is a page that stands in. */
  isPage(peer: PeerId): boolean {
    return this.standIn?.isPage(peer) === true
  }
}
