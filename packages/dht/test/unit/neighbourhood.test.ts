import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { type Point, pointOfPeer } from '../../src/peers/key-space.ts'
import { Neighbourhood } from '../../src/peers/neighbourhood.ts'
import { law } from '../support/effort.ts'
import { useFakeTimers } from '../support/fake-timers.ts'
import { contacts, nearestFirst, peerNumber, pointOf } from '../support/numbered-peers.ts'

const own = pointOfPeer(peerNumber(0))

/** The neighbourhood that peer 0 of a network sees, which knows all peers. */
function neighbourhoodOf(size: number): Neighbourhood {
  const others = contacts(size).slice(1)
  const nearest = (target: Point, count: number) => nearestFirst(target, others).slice(0, count)
  return new Neighbourhood(own, { nearest })
}

describe('a neighbourhood', () => {
  useFakeTimers()

  it('holds about as many peers around each point, whatever the size of the network (N10e)', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(100, 300),
        fc.uint8Array({ minLength: 1, maxLength: 8 }),
        (size, key) => {
          const target = pointOf(key)
          const around = neighbourhoodOf(size)
          const near = nearestFirst(target, contacts(size)).map(({ id }) =>
            around.has(target, pointOfPeer(id))
          )

          // Nearer peers are neighbours if farther ones are.
          expect(near.lastIndexOf(true)).toBeLessThan(
            near.includes(false) ? near.indexOf(false) : size
          )
          const count = near.filter(Boolean).length
          expect(count).toBeGreaterThan(1)
          expect(count).toBeLessThan(60)
        }
      ),
      law(20)
    )
  })

  it('holds all peers of a small network', () => {
    const around = neighbourhoodOf(16)

    expect(
      contacts(16).every(({ id }) => around.has(pointOf(new Uint8Array(1)), pointOfPeer(id)))
    ).toBe(true)
  })

  it('follows what becomes known', () => {
    let known = contacts(10)
    const around = new Neighbourhood(own, {
      nearest: (target, count) => nearestFirst(target, known.slice(1)).slice(0, count)
    })
    const target = pointOf(new Uint8Array(1))
    const farthest = nearestFirst(target, contacts(300)).at(-1)
    const isNear = (): boolean => around.has(target, pointOfPeer(farthest?.id as never))
    expect(isNear()).toBe(true)
    known = contacts(300)
    vi.advanceTimersByTime(1_000)

    expect(isNear()).toBe(false)
  })
})
