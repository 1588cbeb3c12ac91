import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { law } from '../support/effort.ts'
import { distanceTo } from '../support/numbered-peers.ts'
import {
  anyWorld,
  continued,
  nearestLiving,
  orderlyWorld,
  type SimulatedPeer,
  searched,
  type World
} from '../support/simulated-search.ts'

const LAW = law(500)

/** Whether the searcher knows a live peer at the start. */
function hasLivingSeed({ seeds }: World): boolean {
  return seeds.some(({ isAlive }) => isAlive)
}

function names(peers: readonly SimulatedPeer[]): string[] {
  return peers.map(({ id }) => id.toString())
}

/** Whether one peer is asked before another: avoided ones come last, nearer ones first. */
function isAskedBefore({ target }: World, a: SimulatedPeer): (b: SimulatedPeer) => boolean {
  return (b) =>
    a.isAvoided === b.isAvoided ? distanceTo(target, a) < distanceTo(target, b) : b.isAvoided
}

describe('Search', () => {
  it('ends, and asks nobody twice, whomever peers name', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const { asked, search } = searched(world)

        expect(search.isDone).toBe(true)
        expect(new Set(asked).size).toBe(asked.length)
      }),
      LAW
    )
  })

  it('finds exactly the nearest live peers when each knows its surroundings (N4, N6)', () => {
    fc.assert(
      fc.property(orderlyWorld.filter(hasLivingSeed), (world) => {
        const { answers } = searched(world)

        expect(names(answers)).toEqual(names(nearestLiving(world, world.count)))
      }),
      LAW
    )
  })

  it('finds exactly the nearest live peers when it is widened on the way (N5)', () => {
    fc.assert(
      fc.property(orderlyWorld.filter(hasLivingSeed), (world) => {
        const narrow = searched({ ...world, count: 1 })
        narrow.search.widen(world.count)
        const { answers, asked } = continued(world, narrow)

        expect(names(answers)).toEqual(names(nearestLiving(world, world.count)))
        expect(new Set(asked).size).toBe(asked.length)
      }),
      LAW
    )
  })

  it('replaces failed peers as long as it has heard of others (N6, N8b)', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const { answers, heardOf } = searched(world)
        const living = [...heardOf].filter(({ isAlive }) => isAlive)

        expect(answers.every(({ isAlive }) => isAlive)).toBe(true)
        expect(answers).toHaveLength(Math.min(world.count, living.length))
      }),
      LAW
    )
  })

  it('passes over no nearer live peer, except avoided ones (N4, N8c)', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const { answers, heardOf } = searched(world)
        const others = [...heardOf].filter((peer) => peer.isAlive && !answers.includes(peer))

        for (const answer of answers) {
          const isBefore = isAskedBefore(world, answer)
          expect(others.every(isBefore)).toBe(true)
        }
      }),
      LAW
    )
  })

  it('asks an avoided peer only when all others that it has heard of were asked (N8c)', () => {
    let cases = 0
    fc.assert(
      fc.property(anyWorld, (world) => {
        const { asked, heardOf, answers } = searched(world)
        const isAvoidedAsked = asked.some(({ isAvoided }) => isAvoided)
        const others = [...heardOf].filter(({ isAvoided }) => !isAvoided)

        if (isAvoidedAsked && answers.some(({ isAvoided }) => isAvoided)) {
          cases++
          expect(others.every((peer) => asked.includes(peer))).toBe(true)
        }
      }),
      LAW
    )
    expect(cases).toBeGreaterThan(LAW.numRuns / 10)
  })
})
