import { describe, expect, it } from 'vitest'
import { SharedPlaces } from '../../src/admission/shared-places.ts'

const MAX_SIZE = 100

/** Makes a holder of a place. */
function taker() {
  const target = new EventTarget()
  return Object.assign(target, {
    isAborted: false,
    abort(this: { isAborted: boolean }) {
      this.isAborted = true
      target.dispatchEvent(new Event('close'))
    }
  })
}

type Taker = ReturnType<typeof taker>

function addTo(places: SharedPlaces<Taker>, owner: string, count: number): Taker[] {
  return Array.from({ length: count }, () => {
    const one = taker()
    places.add(one, owner)
    return one
  })
}

describe('SharedPlaces', () => {
  it('are taken from the host with most, its oldest first, when another one needs one (N13e)', () => {
    const places = new SharedPlaces<Taker>({ maxSize: MAX_SIZE, reason: 'enough' })
    const light = addTo(places, 'light', 3)
    const heavy = addTo(places, 'heavy', 2 * MAX_SIZE)
    light.push(...addTo(places, 'light', 3))

    expect(places.size).toBe(MAX_SIZE)
    expect(light.filter(({ isAborted }) => isAborted)).toEqual([])
    expect(heavy.findIndex(({ isAborted }) => !isAborted)).toBe(MAX_SIZE + 6)
  })

  it('are free again when what took them ends', () => {
    const places = new SharedPlaces<Taker>({ maxSize: MAX_SIZE, reason: 'enough' })

    for (const one of addTo(places, 'peer', MAX_SIZE)) {
      one.abort()
    }

    expect(places.size).toBe(0)
  })
})
