import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PlaceHolder, WatchPlaces } from '../../src/watch/watch-places.ts'

const MAX = 30
const MAX_PER_PEER = 20

class Holder implements PlaceHolder {
  readonly peer: string
  readonly #places: WatchPlaces
  count = 0

  constructor(peer: string, places: WatchPlaces) {
    this.peer = peer
    this.#places = places
  }

  want(): boolean {
    const isTaken = this.#places.take(this)
    this.count += Number(isTaken)
    return isTaken
  }

  releaseOldest(): void {
    this.count--
    this.#places.free(this)
  }
}

function scene(peers: readonly string[]) {
  const places = new WatchPlaces({ max: MAX, maxPerPeer: MAX_PER_PEER })
  const holders = peers.map((peer) => new Holder(peer, places))
  const ofPeer = (peer: string): number =>
    holders.filter((holder) => holder.peer === peer).reduce((sum, { count }) => sum + count, 0)
  return { places, holders, ofPeer }
}

describe('WatchPlaces', () => {
  it('are never more than there may be, and all are counted (N9d)', () => {
    const streams = ['a', 'a', 'b', 'c', 'd']
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 4 }), fc.boolean()), { maxLength: 300 }),
        (steps) => {
          const { places, holders, ofPeer } = scene(streams)

          for (const [i, isWanted] of steps) {
            const holder = holders[i] as Holder
            isWanted ? holder.want() : holder.count > 0 && holder.releaseOldest()
            const counts = ['a', 'b', 'c', 'd'].map(ofPeer)
            expect(places.size).toBe(counts.reduce((sum, count) => sum + count, 0))
            expect(places.size).toBeLessThanOrEqual(MAX)
            expect(Math.max(...counts)).toBeLessThanOrEqual(MAX_PER_PEER)
          }
        }
      )
    )
  })

  it('of one role are made free by a watch of this role, and no other (N13j)', () => {
    const asked: (string | undefined)[] = []
    const places = new WatchPlaces({ max: 2, maxPerPeer: 2, role: 'remote' })
    const rich = {
      peer: 'rich',
      releaseOldest(role?: string) {
        asked.push(role)
        places.free(rich)
      }
    }
    places.take(rich)
    places.take(rich)
    expect(places.take({ peer: 'poor', releaseOldest() {} })).toBe(true)
    expect(asked).toEqual(['remote'])
  })

  it('are shared by all that want some, in any order of arrival (N13j)', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(['a', 'b', 'c', 'd', 'e'], { minLength: 2 }), (peers) => {
        const { holders, ofPeer } = scene(peers)

        for (const holder of holders) {
          for (let i = 0; i < MAX; i++) {
            holder.want()
          }
        }

        const counts = peers.map(ofPeer)
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(MAX)
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
      })
    )
  })
})
