import type { PeerInfo } from '@libp2p/interface'
import { UnreachableError } from '../errors.ts'
import type { SearchServer } from '../lookup/candidate.ts'
import type { LookupResponse } from '../lookup/lookup.ts'
import { hasQuorum, type NearServer, presentServers } from '../lookup/quorum.ts'
import type { Search } from '../lookup/search.ts'
import { pointOfKey } from '../peers/key-space.ts'
import type { Membership } from '../peers/routing.ts'

export interface ReachInit {
  readonly node: ReachNode
  readonly search: Search
  readonly key: Uint8Array

  /** This node, which is among the nearest servers if the search says so. */
  readonly self: PeerInfo
}

/** The parts that all lookups of a node share. */
export interface ReachNode {
  readonly routing: Membership
  readonly numReplicas: number

  /** Whether servers that are out of reach may hold what all replicas lack. @default never */
  readonly mayLack?: () => boolean
}

/** Decides whether a lookup has reached enough of a key's nearest servers (N11). */
export class Reach {
  readonly #init: ReachInit
  readonly #responses = new Map<PeerInfo, LookupResponse>()

  /** Names of the peers that failed, once any has. */
  #failed: Set<string> | undefined

  constructor(init: ReachInit) {
    this.#init = init
  }

  /** Takes note of a response, or of a failure. */
  record(contact: PeerInfo, response: LookupResponse | undefined): void {
    if (response === undefined) {
      this.#failed ??= new Set()
      this.#failed.add(contact.id.toString())
    } else {
      this.#failed?.delete(contact.id.toString())
      this.#responses.set(contact, response)
    }
  }

  /** Whether a key that nobody was found to hold is absent. Only at the end of the lookup. */
  get isSufficient(): boolean {
    const { node, search } = this.#init

    if (node.mayLack?.()) {
      return false
    }

    // A banned peer proves nothing, but a node that knows no other is not alone.
    if (this.#responses.size === 0 && search.hasBanned) {
      return false
    }

    // Mostly all of the nearest have, and nobody needs to be counted.
    return search.haveResponded(node.numReplicas)
      ? this.#responses.size > 0 || search.servers().length > 0
      : hasQuorum(this.#asNearServers(search.servers()), node.numReplicas)
  }

  /** Peers that responded. */
  get responded(): number {
    return this.#responses.size
  }

  /** The nearest servers that count and did not respond. Only at the end of the lookup. */
  get missing(): readonly PeerInfo[] {
    const { node, search } = this.#init

    // Mostly all have, and nobody needs to be counted.
    return search.haveResponded(node.numReplicas)
      ? NO_PEERS
      : presentServers(this.#asNearServers(search.servers()), node.numReplicas).flatMap(
          ({ contact, hasResponded }) => (hasResponded ? [] : contact)
        )
  }

  /** Creates the error for a lookup that has not reached enough. */
  error(): UnreachableError {
    const isWithoutServers = this.#init.node.mayLack?.() === true
    // Nobody has waited for those that others could replace, so they are no failures.
    const failed = Math.max(this.#failed?.size ?? 0, this.missing.length)
    return new UnreachableError(failed, this.#responses.size, isWithoutServers)
  }

  #asNearServers(servers: readonly SearchServer[]): (NearServer & SearchServer)[] {
    return servers.map(({ contact, hasResponded }) => ({
      contact,
      name: contact.id.toString(),
      hasResponded,
      named: hasResponded ? this.#namedBy(contact) : undefined
    }))
  }

  /** This node still knows peers that have just failed, so it says nothing if others can. */
  #namedBy(contact: PeerInfo): ReadonlySet<string> | undefined {
    const { key, node, self } = this.#init
    const { numReplicas, routing } = node

    if (contact === self) {
      const isAlone = this.#responses.size === 0
      return isAlone ? namesOf(routing.nearestPresent(pointOfKey(key), numReplicas)) : undefined
    }

    const { closer = [], isPlain = false } = this.#responses.get(contact) ?? {}
    // Plain kad-dht peers go on naming peers that have left.
    return namesOf(isPlain ? closer.filter(({ id }) => !routing.isLongSilent(id)) : closer)
  }
}

const NO_PEERS: readonly PeerInfo[] = []

function namesOf(peers: readonly PeerInfo[]): ReadonlySet<string> {
  return new Set(peers.map(({ id }) => id.toString()))
}
