import { beforeEach, describe, expect, it } from 'vitest'
import { FIRST_AVOIDANCE_MS, MAX_AVOIDANCE_MS, MAX_AVOIDED_PEERS } from '../../src/constants.ts'
import { Avoidance } from '../../src/peers/avoidance.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { peerNumber } from '../support/numbered-peers.ts'

const peer = peerNumber(1)

describe('Avoidance', () => {
  let clock: ManualClock
  let avoidance: Avoidance

  beforeEach(() => {
    clock = manualClock(5_000)
    avoidance = new Avoidance(clock)
  })

  /** Lets a peer fail so many times in a row, and tells for how long it is avoided then, to half a second. */
  function avoidedMs(failures: number): number {
    for (let i = 0; i < failures; i++) {
      avoidance.failed(peer)
    }

    const startMs = clock.time
    clock.time += 1

    while (avoidance.has(peer) && clock.time < startMs + 2 * MAX_AVOIDANCE_MS) {
      clock.time += 500
    }

    return clock.time - startMs - 1
  }

  it('avoids nobody who has not failed', () => {
    expect(avoidance.has(peer)).toBe(false)
  })

  it('avoids a peer that failed until the first second is over (N8c)', () => {
    avoidance.failed(peer)

    clock.time += FIRST_AVOIDANCE_MS - 1
    expect(avoidance.has(peer)).toBe(true)
    clock.time += 1
    expect(avoidance.has(peer)).toBe(false)
  })

  it('avoids nobody but the peer that failed', () => {
    avoidance.failed(peer)

    expect(avoidance.has(peerNumber(2))).toBe(false)
  })

  it.each([
    [1, FIRST_AVOIDANCE_MS],
    [2, 2 * FIRST_AVOIDANCE_MS],
    [3, 4 * FIRST_AVOIDANCE_MS],
    [6, 32 * FIRST_AVOIDANCE_MS]
  ])('avoids a peer that failed %i times in a row for %i ms (N8c)', (failures, ms) => {
    expect(avoidedMs(failures)).toBe(ms)
  })

  it('goes on counting when a peer fails again after it was avoided (N8c)', () => {
    avoidedMs(1)

    expect(avoidedMs(1)).toBe(2 * FIRST_AVOIDANCE_MS)
  })

  it('avoids nobody for longer than the longest time, however often it fails (N8c)', () => {
    expect(avoidedMs(2_000)).toBe(MAX_AVOIDANCE_MS)
  })

  it('forgets all failures when the peer answers (N8c)', () => {
    avoidance.failed(peer)
    avoidance.failed(peer)
    avoidance.answered(peer)

    expect(avoidance.has(peer)).toBe(false)
    expect(avoidedMs(1)).toBe(FIRST_AVOIDANCE_MS)
  })

  it('remembers so many peers and no more, and forgets first who failed the longest ago (N9d)', () => {
    const peers = Array.from({ length: MAX_AVOIDED_PEERS + 1 }, (_, n) => peerNumber(n))
    const [first, second, third] = peers as [typeof peer, typeof peer, typeof peer]

    for (const one of peers.slice(0, -1)) {
      avoidance.failed(one)
    }

    avoidance.failed(first)
    avoidance.failed(peers.at(-1) ?? peer)

    expect(avoidance.has(second)).toBe(false)
    expect([first, third, peers.at(-1) ?? peer].map((one) => avoidance.has(one))).toEqual([
      true,
      true,
      true
    ])
  })

  it('gives up a peer with each failure after the first in a row (N8c)', () => {
    const givenUp: unknown[] = []
    const telling = new Avoidance(clock, (id) => givenUp.push(id))
    telling.failed(peer)
    telling.answered(peer)
    telling.failed(peer)
    expect(givenUp).toEqual([])

    telling.failed(peer)
    telling.failed(peer)
    expect(givenUp).toEqual([peer, peer])
  })

  it('takes note of what fails while it watches, but for what was called off (N8c)', async () => {
    const watched = (name: string): Promise<unknown> =>
      avoidance.watch(peer, Promise.reject(Object.assign(new Error('failed'), { name })))

    await expect(watched('AbortError')).rejects.toThrow('failed')
    expect(avoidance.has(peer)).toBe(false)
    await expect(watched('Error')).rejects.toThrow('failed')
    expect(avoidance.has(peer)).toBe(true)
    expect(await avoidance.watch(peer, Promise.resolve(1))).toBe(1)
  })
})
