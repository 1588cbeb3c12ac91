import type { PeerInfo } from '@libp2p/interface'
import fc from 'fast-check'
import { Search } from '../../src/lookup/search.ts'
import { contacts, distanceTo, nearestFirst, pointOf } from './numbered-peers.ts'

/** Peers, the live ones among them, and the peers that each of them names to a searcher. */
export interface World {
  readonly target: Uint8Array
  readonly peers: readonly SimulatedPeer[]

  /** The peers that the searcher knows at the start. */
  readonly seeds: readonly SimulatedPeer[]

  /** Whether the search is told of them, or looks them up when it needs them. */
  readonly isTold: boolean

  /** Number of peers to find. */
  readonly count: number

  /** Choices of the next peer to ask, and of the next request to answer, in turn. */
  readonly order: readonly number[]
}

export interface SimulatedPeer extends PeerInfo {
  readonly isAlive: boolean
  readonly isAvoided: boolean
  readonly known: readonly SimulatedPeer[]
}

/** The course of a search in a world. */
export interface Course {
  readonly asked: readonly SimulatedPeer[]

  /** All peers that were ever named to the searcher. */
  readonly heardOf: ReadonlySet<SimulatedPeer>
  readonly answers: readonly SimulatedPeer[]
  readonly search: Search
}

const MAX_PEERS = 40
const POOL = contacts(MAX_PEERS)
const PARALLELISM = 3

/** Worlds in which peers know arbitrary others. */
export const anyWorld: fc.Arbitrary<World> = worlds((peers, { numbers }) =>
  peers.map((_, n) => peers.filter((_, m) => numbers(n * peers.length + m) % 4 === 0))
)

/**
 * Worlds in which peers know their surroundings as Kademlia requires: of each subtree without them, as many live
 * peers as are searched for, or all if there are fewer, chosen at random. To make it hard, all peers know the dead
 * and the avoided ones.
 */
export const orderlyWorld: fc.Arbitrary<World> = worlds((peers, { numbers, count }) =>
  peers.map((peer, n) => {
    const subtrees = Map.groupBy(
      peers.filter(isGood),
      (other) => distanceTo(pointOf(peer.id.toMultihash().bytes), other).toString(2).length
    )
    const useful = [...subtrees.values()].flatMap((subtree, i) =>
      sampled(subtree, count, numbers(n * peers.length + i))
    )
    return [...useful, ...peers.filter((other) => !isGood(other))]
  })
)

/** Runs a search to its end. Answers come in any order. */
export function searched(world: World): Course {
  const { target, count, seeds, isTold } = world
  const known = nearestFirst(target, seeds)
  const search = new Search({
    target,
    count,
    nearest: (_, most) => (isTold ? [] : known.slice(0, most)),
    rankOf: (contact) => ((contact as SimulatedPeer).isAvoided ? 'last' : 'first')
  })
  search.add(isTold ? seeds : [])
  return continued(world, { search, asked: [], heardOf: new Set(seeds), answers: [] })
}

/** Continues a search that had ended and was widened. */
export function continued({ order, peers }: World, { search, ...before }: Course): Course {
  const asked = [...before.asked]
  const heardOf = new Set(before.heardOf)
  const underWay: SimulatedPeer[] = []

  for (let turn = 0; ; turn++) {
    fill(underWay, search, asked, order)

    if (underWay.length === 0 || asked.length > peers.length) {
      return { asked, heardOf, search, answers: search.answers() as SimulatedPeer[] }
    }

    const [peer] = underWay.splice((order[turn % order.length] ?? 0) % underWay.length, 1)
    settle(search, heardOf, peer as SimulatedPeer)
  }
}

/** Lists the nearest live peers, avoided ones last. */
export function nearestLiving({ target, peers }: World, count: number): SimulatedPeer[] {
  const living = nearestFirst(
    target,
    peers.filter(({ isAlive }) => isAlive)
  )
  return [...living.filter(isGood), ...living.filter(({ isAvoided }) => isAvoided)].slice(0, count)
}

function fill(
  underWay: SimulatedPeer[],
  search: Search,
  asked: SimulatedPeer[],
  order: readonly number[]
): void {
  while (underWay.length < PARALLELISM) {
    const choices = search.choices() as SimulatedPeer[]
    const next = choices[(order[asked.length % order.length] ?? 0) % choices.length]

    if (next === undefined) {
      return
    }

    search.recordRequest(next)
    underWay.push(next)
    asked.push(next)
  }
}

function settle(search: Search, heardOf: Set<SimulatedPeer>, peer: SimulatedPeer): void {
  if (!peer.isAlive) {
    search.recordFailure(peer)
    return
  }

  search.recordResponse(peer, peer.known)

  for (const other of peer.known) {
    heardOf.add(other)
  }
}

function isGood({ isAlive, isAvoided }: SimulatedPeer): boolean {
  return isAlive && !isAvoided
}

/** Returns some consecutive items, from a position on. */
function sampled<T>(items: readonly T[], count: number, from: number): T[] {
  const start = from % items.length
  return [...items.slice(start), ...items.slice(0, start)].slice(0, count)
}

type Acquaint = (
  peers: readonly SimulatedPeer[],
  options: { numbers: (n: number) => number; count: number }
) => SimulatedPeer[][]

function worlds(acquaint: Acquaint): fc.Arbitrary<World> {
  const kind = fc.constantFrom('alive', 'alive', 'alive', 'dead', 'avoided', 'dead and avoided')

  return fc
    .record({
      kinds: fc.array(kind, { minLength: 1, maxLength: MAX_PEERS }),
      point: fc.nat(),
      count: fc.integer({ min: 1, max: 6 }),
      seedling: fc.nat(),
      seedCount: fc.integer({ min: 1, max: 12 }),
      isTold: fc.boolean(),
      order: fc.array(fc.nat(5), { minLength: 1, maxLength: 10 }),
      numbers: fc.infiniteStream(fc.nat(1000)).map(remembered)
    })
    .map(({ kinds, point, seedling, seedCount, numbers, ...rest }) => {
      const peers = kinds.map((kind, n) => peerOf(POOL[n] as PeerInfo, kind))
      acquaint(peers, { numbers, count: rest.count }).forEach((known, n) => {
        Object.assign(peers[n] as SimulatedPeer, { known })
      })
      const target = pointOf(Buffer.from(String(point)))
      return { ...rest, target, peers, seeds: sampled(peers, seedCount, seedling) }
    })
}

function peerOf(contact: PeerInfo, kind: string): SimulatedPeer {
  return {
    ...contact,
    isAlive: !kind.includes('dead'),
    isAvoided: kind.includes('avoided'),
    known: []
  }
}

/** Remembers the numbers of a stream by their position. */
function remembered(stream: IterableIterator<number>): (n: number) => number {
  const taken: number[] = []

  return (n) => {
    while (taken.length <= n) {
      taken.push(stream.next().value)
    }

    return taken[n] as number
  }
}
