import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OpenRequests } from '../../src/admission/open-requests.ts'

const MAX = 80
const LIMITS = { maxRequests: MAX, maxRequestsPerPeer: 40 }

function begin(requests: OpenRequests, peer: string): boolean {
  const isFull = requests.isFull(peer)
  isFull || requests.begin(peer)
  return !isFull
}

describe('OpenRequests', () => {
  it('leaves room for a peer when others have used up the total (N9f)', () => {
    const requests = new OpenRequests(LIMITS)

    for (const peer of ['slow', 'slower']) {
      for (let i = 0; i < MAX; i++) {
        begin(requests, peer)
      }
    }

    expect(requests.count).toBe(MAX)
    expect([requests.isFull('slow'), requests.isFull('slower')]).toEqual([true, true])
    expect(begin(requests, 'honest')).toBe(true)
  })

  it('exceeds the total by half at most, and no peer exceeds its own (N9d)', () => {
    const peers = Array.from({ length: 100 }, (_, i) => `${i}`)
    fc.assert(
      fc.property(fc.shuffledSubarray(peers), (shuffled) => {
        const order = shuffled.flatMap((peer) => new Array(MAX).fill(peer))
        const requests = new OpenRequests(LIMITS)
        const ofPeer = new Map<string, number>()

        for (const peer of order) {
          ofPeer.set(peer, (ofPeer.get(peer) ?? 0) + Number(begin(requests, peer)))
        }

        expect(requests.count).toBeLessThanOrEqual(1.5 * MAX)
        expect(Math.max(0, ...ofPeer.values())).toBeLessThanOrEqual(40)
      }),
      { numRuns: 50 }
    )
  })
})
