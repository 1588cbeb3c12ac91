/** A connected peer in the connection budget. Times are in ms of the process's clock. */
export interface ConnectedPeer {
  readonly name: string

  /** Connections to the peer. */
  readonly connections: number

  /** A `server` or a `client` of this network; `unidentified` before identify completes. */
  readonly role: 'server' | 'client' | 'unidentified'

  /** The peer's host, by its address. */
  readonly host: string

  /** Leading bits of the key space that it shares with this node. */
  readonly sharedBits: number

  /** Whether it is one of the nearest servers that this node knows. */
  readonly isNeighbour: boolean

  /** Whether any request is in flight on its connections, in either direction. */
  readonly isBusy: boolean

  /** Time at which its youngest connection was opened. */
  readonly openedAtMs: number

  /** Time of the last request or response. */
  readonly usedAtMs: number
}

/** Limits of connected peers. */
export interface Watermarks {
  /** Servers that stay connected after trimming. */
  readonly low: number

  /** Servers above which some are disconnected. */
  readonly high: number

  /** Connections of all peers that stay after trimming. */
  readonly lowTotal: number

  /** Connections of all peers above which some are closed. */
  readonly highTotal: number

  /** Connections of all peers above which there is no room for newcomers. */
  readonly fullTotal: number

  /** Milliseconds for which a new connection stays open, used or not. */
  readonly graceMs: number
}

/** Milliseconds for which a new connection stays open when there is little room left. */
export const SHORT_GRACE_MS = 1500

/**
 * Milliseconds for a connection to identify its peer. Until then it is closed last: a full node that closed its
 * newest connections would admit no peer.
 */
export const GREETING_MS = 1000

/** Milliseconds after which a crowded node whose peers were all busy looks for idle ones again. */
export const RECHECK_MS = 500

/** Peers at each distance that stay connected: the most recently used. */
export const KEPT_PER_DISTANCE = 2

/** Share of the low watermark that neighbours and peers at each distance may take up. */
const MAX_KEPT_SHARE = 0.75

/**
 * Chooses the peers to disconnect, least recently used first (N10a). Spares peers with requests in flight, new
 * ones, neighbours, and two servers at each distance. If there are too many connections in total, unidentified
 * peers go first, then clients, and new ones, too, if no room is left: those that just arrived, and those whose
 * first request is still on its way, go last. If that is not enough, the newest peers of the host with most
 * connections go, even with requests in flight.
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
  const isArriving = ({ role, openedAtMs, usedAtMs }: ConnectedPeer): boolean =>
    role === 'unidentified'
      ? openedAtMs > nowMs - GREETING_MS
      : usedAtMs <= openedAtMs && openedAtMs > nowMs - SHORT_GRACE_MS
  const isServer = ({ role }: ConnectedPeer): boolean => role === 'server'
  const servers = peers.filter(isServer)

  if (servers.length > high) {
    choice.take(servers.filter(isOld).sort(byUse), (left) => left.filter(isServer).length > low)
  }

  if (isCrowded) {
    const inOrder = peers.toSorted(byRoleAndUse)
    choice.take(inOrder.filter(isOld), (left) => countConnections(left) > lowTotal)
    const arrivals = inOrder.filter(isArriving)
    const others = inOrder.filter((peer) => !isArriving(peer))
    choice.take([...others, ...arrivals], (left) => countConnections(left) > fullTotal)
    choice.takeBusy(surplusOfLargestHost(choice.left, choice.kept, highTotal))
  }

  return choice.names
}

/** The peers to disconnect, and those that stay. */
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

  /** Chooses idle peers in the given order while too many are left. */
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

/**
 * Milliseconds until another peer may be chosen: until the next one is no longer new, or until requests in flight may
 * have ended, of which no event tells. Undefined if no more need be chosen.
 */
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

  const longGraceMs = isCrowded ? SHORT_GRACE_MS : graceMs
  const waits = peers
    .map(({ openedAtMs }) => openedAtMs + longGraceMs - nowMs)
    .filter((waitMs) => waitMs > 0)
  const recheckMs = isCrowded ? RECHECK_MS : Math.max(longGraceMs, SHORT_GRACE_MS)
  return Math.min(recheckMs, ...waits)
}

/** The neighbours, and the most recently used servers at each distance. */
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

/** The newest peers of the host with most connections, beyond its fair share. */
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
