import { describe, expect, it } from 'vitest'
import { pointOfKey, pointOfPeer, roughDistance, sharedBits } from '../../src/peers/key-space.ts'
import { type SimulatedPeer, SimulatedWorld } from '../support/simulated-networks.ts'

const TARGETS = Array.from({ length: 20 }, (_, i) => pointOfKey(Uint8Array.of(i)))
const COUNT = 5

/** Finds the nearest of all peers, by comparing all of them. */
function trulyNearest(target: Uint8Array, peers: readonly SimulatedPeer[]): string[] {
  return [...peers]
    .sort((a, b) => distanceOf(a) - distanceOf(b))
    .slice(0, COUNT)
    .map(({ id }) => id.toString())

  function distanceOf({ id }: SimulatedPeer): number {
    return roughDistance(target, pointOfPeer(id))
  }
}

/** Lists which of some searches of peers find the nearest of all. */
function rightSearches(
  peers: readonly SimulatedPeer[],
  all: readonly SimulatedPeer[] = peers
): boolean[] {
  return TARGETS.flatMap((target) => {
    const nearest = trulyNearest(target, all).join()
    return peers.map((peer) => peer.search(target, COUNT).join() === nearest)
  })
}

/** The distances of peers from one of them, as leading bits that both share. */
function distancesBetween(one: SimulatedPeer, others: Iterable<SimulatedPeer>): Set<number> {
  const own = pointOfPeer(one.id)
  return new Set(
    Array.from(others)
      .filter((other) => other !== one)
      .map(({ id }) => sharedBits(own, pointOfPeer(id)))
  )
}

describe('NetworkMerge', () => {
  it.each([4, 20, 50])(
    'makes one network of two of %i peers of which one connects to one of the other (N8i)',
    async (size) => {
      const world = new SimulatedWorld()
      const networks = [world.network(size), world.network(size)] as const
      const [[one], [other]] = networks as unknown as [[SimulatedPeer], [SimulatedPeer]]
      expect(rightSearches(networks.flat())).toContain(false)

      one.dial(other)
      await world.settled()

      expect(rightSearches(networks.flat())).not.toContain(false)
    }
  )

  it('costs a network that has grown together one question for each new connection (N8i)', async () => {
    const world = new SimulatedWorld()
    const [first, ...others] = world.network(200) as [SimulatedPeer, ...SimulatedPeer[]]
    const [newcomer] = world.network(1) as [SimulatedPeer]

    newcomer.dial(first)
    await world.settled()

    for (const { id } of first.nearest(pointOfPeer(newcomer.id), 20)) {
      newcomer.dial(world.peer(id))
    }

    await world.settled()
    expect(others.some((peer) => peer.known.has(newcomer.id.toString()))).toBe(true)
    expect(world.questions).toBeLessThanOrEqual(21 + 2)
  })

  it.each([50, 400])(
    'takes a newcomer O(log n) dials to find its place among %i (N10f)',
    async (size) => {
      const world = new SimulatedWorld()
      const network = world.network(size) as [SimulatedPeer, ...SimulatedPeer[]]
      const [newcomer] = world.network(1) as [SimulatedPeer]
      newcomer.join(network[0])
      await world.settled()

      // Its 20 neighbours, and a few at each distance on the way and beyond.
      expect(world.dials).toBeLessThanOrEqual(20 + 4 * Math.log2(size))
      expect(rightSearches([...network, newcomer])).not.toContain(false)
    }
  )

  it('finds the nearest from everywhere in a network that has grown by joins alone (N10f)', async () => {
    const world = new SimulatedWorld()
    const network = world.network(1) as [SimulatedPeer, ...SimulatedPeer[]]

    for (let size = 1; size < 200; size++) {
      const [newcomer] = world.network(1) as [SimulatedPeer]
      newcomer.join(network[(7 * size) % network.length] as SimulatedPeer)
      network.push(newcomer)
      await world.settled()

      if (size % 10 === 0) {
        const sample = [newcomer, network[(11 * size) % network.length] as SimulatedPeer]
        expect(rightSearches(sample, network)).not.toContain(false)
      }
    }

    expect(world.dials / 200).toBeLessThanOrEqual(20 + Math.log2(200))
  })

  it('knows a peer at each distance after ten peers at a time have joined (N10f)', async () => {
    const world = new SimulatedWorld()
    const network = world.network(1) as [SimulatedPeer, ...SimulatedPeer[]]

    for (let size = 1; size < 500; size++) {
      const [newcomer] = world.network(1) as [SimulatedPeer]
      newcomer.join(network[(7919 * size) % network.length] as SimulatedPeer)
      network.push(newcomer)

      if (size % 10 === 0) {
        await world.settled()
      }
    }

    await world.settled()

    // As upkeep does after neighbours have come.
    for (const peer of network) {
      const neighbours = peer.nearest(pointOfPeer(peer.id), 3).map(({ id }) => world.peer(id))
      await peer.refresh(neighbours)
    }

    const lacking = network.filter((peer) => {
      const known = distancesBetween(peer, peer.known.values())
      return [...distancesBetween(peer, network)].some((bits) => !known.has(bits))
    })
    expect(lacking).toEqual([])
  })

  it('dials another peer at an empty distance if the first one is dead (N10f)', async () => {
    for (let trial = 0; trial < 10; trial++) {
      const world = new SimulatedWorld()
      const network = world.network(60)
      const [one] = network as [SimulatedPeer]
      const own = pointOfPeer(one.id)
      const far = network.filter(({ id }) => sharedBits(own, pointOfPeer(id)) === 0)
      const [dead, alive, ...others] = far as [SimulatedPeer, SimulatedPeer]
      world.dead.add(dead)

      for (const peer of network) {
        const forgotten = peer === one ? far : others
        forgotten.forEach(({ id }) => void peer.known.delete(id.toString()))
      }

      await one.refresh(one.nearest(own, 3).map(({ id }) => world.peer(id)))
      expect(one.known.has(alive.id.toString())).toBe(true)
    }
  })

  it('asks connected neighbours for others, and dials only those that it does not know (N10g)', async () => {
    const world = new SimulatedWorld()
    const [one, other, ...rest] = world.network(30) as [SimulatedPeer, SimulatedPeer]
    const [lost] = one.nearest(pointOfPeer(one.id), 1).map(({ id }) => world.peer(id))
    one.known.delete((lost as SimulatedPeer).id.toString())
    await one.refresh([other, ...rest].filter((peer) => peer !== lost).slice(0, 5))

    expect(one.known.has((lost as SimulatedPeer).id.toString())).toBe(true)
    expect(world.dials).toBe(1)
    await one.refresh([other])
    expect(world.dials).toBe(1)
  })

  it('leaves unreachable peers alone for a while', async () => {
    const world = new SimulatedWorld()
    const [[one], [other, dead]] = [world.network(1), world.network(2)] as unknown as [
      [SimulatedPeer],
      [SimulatedPeer, SimulatedPeer]
    ]
    world.dead.add(dead)

    for (const failures of [1, 1, 2]) {
      other.known.delete(one.id.toString())
      one.known.delete(other.id.toString())
      other.dial(one)
      await world.settled()
      expect(world.failures).toBe(failures)
      world.nowMs += 200_000
    }
  })
})
