import { describe, expect, it } from 'vitest'
import { BulkLimit } from '../../src/wire/bulk-limit.ts'
import { MAX_BULK_IN_FLIGHT } from '../../src/wire/limits.ts'

interface Line {
  /** Milliseconds that one response takes on the line, and from a request to the first byte of its response. */
  readonly eachMs: number
  readonly delayMs: number
}

/** Has a peer answer messages in order, and keeps as many in flight as are allowed. */
class SimulatedPeer {
  readonly #limit = new BulkLimit()
  readonly #line: Line
  readonly #sent: number[] = []
  #nowMs = 0

  constructor(line: Line) {
    this.#line = line
  }

  get inFlight(): number {
    return this.#sent.length
  }

  /** Answers a message after a pause. Returns its wait, and whether the line was idle before. */
  answer(pauseMs = 0): { waitMs: number; isIdle: boolean } {
    while (this.#sent.length < this.#limit.max) {
      this.#sent.push(this.#nowMs)
    }

    const { delayMs, eachMs } = this.#line
    const sentMs = this.#sent.shift() ?? 0
    const isIdle = sentMs + delayMs > this.#nowMs
    this.#nowMs = Math.max(sentMs + delayMs, this.#nowMs) + eachMs + pauseMs
    this.#limit.record(sentMs, this.#nowMs)
    return { waitMs: this.#nowMs - sentMs - delayMs - eachMs, isIdle }
  }
}

describe('BulkLimit', () => {
  it.each([
    [1, 5],
    [400, 50],
    [20, 250],
    [1000, 50],
    [100, 1400]
  ])(
    'keeps a line busy with a delay of %d ms and responses of %d ms, and little waits (N12)',
    (delayMs, eachMs) => {
      const peer = new SimulatedPeer({ delayMs, eachMs })
      const all = Array.from({ length: 300 }, () => peer.answer()).slice(100)

      expect(all.filter(({ isIdle }) => isIdle)).toHaveLength(0)
      expect(Math.max(...all.map(({ waitMs }) => waitMs))).toBeLessThanOrEqual(1000 + 2 * eachMs)
    }
  )

  it('leaves little at a peer that was out of reach for a while (N12)', () => {
    const peer = new SimulatedPeer({ delayMs: 1, eachMs: 5 })
    Array.from({ length: 100 }, () => peer.answer())
    expect(peer.inFlight).toBe(MAX_BULK_IN_FLIGHT - 1)

    peer.answer(10_000)
    Array.from({ length: MAX_BULK_IN_FLIGHT }, () => peer.answer())
    expect(peer.inFlight).toBeLessThan(MAX_BULK_IN_FLIGHT / 2)
    Array.from({ length: 500 }, () => peer.answer())
    expect(peer.inFlight).toBe(MAX_BULK_IN_FLIGHT - 1)
  })
})
