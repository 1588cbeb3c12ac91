/** A peer that is connected, as the budget sees it. Moments are in ms of the process's clock. */
export interface ConnectedPeer {
  readonly name: string

  /** Connections to it. */
  readonly connections: number

  /** A `server` of this network; a `client` of it; an `unidentified` peer has not said yet. */
  readonly role: 'server' | 'client' | 'unidentified'

  /** The machine that it is connected from, as far as its address tells. */
  readonly host: string

  /** Leading bits of the key space that it shares with this node. */
  readonly sharedBits: number

  /** Whether it is one of the nearest servers that this node knows. */
  readonly isNeighbour: boolean

  /** Whether anything is under way on its connection, either way. */
  readonly isBusy: boolean

  /** When its youngest connection was opened. */
  readonly openedAtMs: number

  /** When anything was last asked or answered. */
  readonly usedAtMs: number
}

/** How many peers may be connected. */
export interface Watermarks {
  /** Servers that stay when some are disconnected. */
  readonly low: number

  /** Servers beyond which some are disconnected. */
  readonly high: number

  /** Connections of all peers that stay when there are too many. */
  readonly lowTotal: number

  /** Connections of all peers beyond which some are closed. */
  readonly highTotal: number

  /** Connections of all peers beyond which there is no room for newcomers. */
  readonly fullTotal: number

  /** Milliseconds for which a new connection stays open, used or not. */
  readonly graceMs: number
}

/** Milliseconds for which a new connection stays open where there is little room left. */
export const SHORT_GRACE_MS = 1500

/** Peers of each distance that stay connected: the ones used last. */
export const KEPT_PER_DISTANCE = 2

/** The part of the low watermark that neighbours and peers of each distance may take up. */
const MAX_KEPT_SHARE = 0.75

/**
 * Chooses the peers to disconnect, least recently used first (N10a). Nothing is chosen that is
 * under way, or new, or a neighbour, or one of two servers at a distance. Where all connections
 * together are too many, those go first of peers that have said nothing of themselves, then those
 * of clients; new ones, too, where there is no room left. Where even that makes no room, the newest
 * peers of the machine with most of them go, whatever they are doing.
 */
export function peersToDisconnect(
  peers: readonly ConnectedPeer[],
  watermarks: Watermarks,
  nowMs: number
): string[] {
  const { fullTotal, graceMs, high, highTotal, low, lowTotal } = watermarks
  const isCrowded = countConnections(peers) > highTotal
  const longGraceMs = isCrowded ? Math.min(SHORT_GRACE_MS, graceMs) : graceMs
  const choice = new Choice(peers, keptServers(peers, low))
  const isOld = ({ openedAtMs }: ConnectedPeer): boolean => openedAtMs <= nowMs - longGraceMs
  const isServer = ({ role }: ConnectedPeer): boolean => role === 'server'
  const servers = peers.filter(isServer)

  if (servers.length > high) {
    choice.take(servers.filter(isOld).sort(byUse), (left) => left.filter(isServer).length > low)
  }

  if (isCrowded) {
    const inOrder = peers.toSorted(byRoleAndUse)
    choice.take(inOrder.filter(isOld), (left) => countConnections(left) > lowTotal)
    choice.take(inOrder, (left) => countConnections(left) > fullTotal)
    choice.takeBusy(surplusOfLargestHost(choice.left, choice.kept, highTotal))
  }

  return choice.names
}

/** Peers that are to be disconnected, and those that stay. */
class Choice {
  readonly kept: ReadonlySet<ConnectedPeer>
  readonly #chosen = new Set<ConnectedPeer>()
  readonly #peers: readonly ConnectedPeer[]

  constructor(peers: readonly ConnectedPeer[], kept: ReadonlySet<ConnectedPeer>) {
    this.#peers = peers
    this.kept = kept
  }

  get names(): string[] {
    return Array.from(this.#chosen, ({ name }) => name)
  }

  get left(): ConnectedPeer[] {
    return this.#peers.filter((peer) => !this.#chosen.has(peer))
  }

  /** Chooses idle peers in the given order for as long as those left are too many. */
  take(
    candidates: readonly ConnectedPeer[],
    areTooMany: (left: readonly ConnectedPeer[]) => boolean
  ): void {
    for (const peer of candidates) {
      if (!areTooMany(this.left)) {
        return
      }

      if (!peer.isBusy && !this.kept.has(peer)) {
        this.#chosen.add(peer)
      }
    }
  }

  takeBusy(peers: readonly ConnectedPeer[]): void {
    for (const peer of peers) {
      this.#chosen.add(peer)
    }
  }
}

/** Milliseconds until another peer may be chosen because it is no longer new; undefined if none will be. */
export function nextChoiceMs(
  peers: readonly ConnectedPeer[],
  { graceMs, high, highTotal }: Watermarks,
  nowMs: number
): number | undefined {
  const servers = peers.filter(({ role }) => role === 'server')
  const isCrowded = countConnections(peers) > highTotal

  if (!isCrowded && servers.length <= high) {
    return undefined
  }

  const waits = peers
    .map(({ openedAtMs }) => openedAtMs + (isCrowded ? SHORT_GRACE_MS : graceMs) - nowMs)
    .filter((waitMs) => waitMs > 0)
  return waits.length === 0 ? undefined : Math.min(...waits)
}

/** The neighbours, and the servers of each distance that were used last. */
function keptServers(peers: readonly ConnectedPeer[], low: number): Set<ConnectedPeer> {
  const room = Math.floor(low * MAX_KEPT_SHARE)
  const neighbours = peers
    .filter(({ isNeighbour, role }) => isNeighbour && role === 'server')
    .sort((a, b) => b.sharedBits - a.sharedBits)
  const kept = new Set(neighbours.slice(0, room))
  const byDistance = Map.groupBy(
    peers.filter((peer) => peer.role === 'server' && !kept.has(peer)),
    ({ sharedBits }) => sharedBits
  )

  for (const ofDistance of byDistance.values()) {
    const lastUsed = ofDistance.sort(byUse).slice(-KEPT_PER_DISTANCE)

    for (const peer of lastUsed.slice(0, Math.max(0, room - kept.size))) {
      kept.add(peer)
    }
  }

  return kept
}

/** The newest peers of the machine that has most, beyond its fair share of all that may be connected. */
function surplusOfLargestHost(
  peers: readonly ConnectedPeer[],
  kept: ReadonlySet<ConnectedPeer>,
  highTotal: number
): ConnectedPeer[] {
  const excess = countConnections(peers) - highTotal
  const byHost = [...Map.groupBy(peers, ({ host }) => host).values()]

  if (excess <= 0 || byHost.length < 2) {
    return []
  }

  const [largest = []] = byHost.sort((a, b) => b.length - a.length)
  const surplus = Math.floor(largest.length - peers.length / byHost.length)
  return largest
    .filter((peer) => !kept.has(peer))
    .sort((a, b) => b.openedAtMs - a.openedAtMs)
    .slice(0, Math.max(0, Math.min(excess, surplus)))
}

function countConnections(peers: readonly ConnectedPeer[]): number {
  return peers.reduce((sum, { connections }) => sum + connections, 0)
}

const ORDER = { unidentified: 0, client: 1, server: 2 } as const

function byRoleAndUse(a: ConnectedPeer, b: ConnectedPeer): number {
  return ORDER[a.role] - ORDER[b.role] || byUse(a, b)
}

function byUse(a: ConnectedPeer, b: ConnectedPeer): number {
  return a.usedAtMs - b.usedAtMs
}
