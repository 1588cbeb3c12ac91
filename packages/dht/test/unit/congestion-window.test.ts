import { describe, expect, it } from 'vitest'
import { CongestionWindow } from '../../src/wire/congestion-window.ts'

interface Course {
  /** Share of the line that was used in the second half. */
  readonly share: number

  /** The longest that a part has waited for others in the second half, in ms. */
  readonly waitMs: number
}

/** Sends over one line, on which parts queue up, with as many windows as there are senders. */
function sendOver(
  { bytesPerMs, delayMs, senders = 1 }: { bytesPerMs: number; delayMs: number; senders?: number },
  forMs: number
): Course {
  const windows = Array.from({ length: senders }, () => new CongestionWindow())
  const acks: { window: CongestionWindow; bytes: number; atMs: number }[] = []
  let [freeAtMs, sentBytes, waitMs] = [0, 0, 0]

  for (let nowMs = 0; nowMs < forMs; nowMs++) {
    while (acks[0] !== undefined && acks[0].atMs <= nowMs) {
      const { window, bytes } = acks.shift() as (typeof acks)[number]
      expect(window.receive(bytes, nowMs)).toBe(true)
    }

    for (const window of windows) {
      while (window.hasRoom) {
        const bytes = window.partBytes
        window.send(bytes, false, nowMs)

        if (nowMs > forMs / 2) {
          sentBytes += bytes
          waitMs = Math.max(waitMs, freeAtMs - nowMs)
        }

        freeAtMs = Math.max(freeAtMs, nowMs) + bytes / bytesPerMs
        acks.push({ window, bytes, atMs: freeAtMs + 2 * delayMs })
      }
    }

    acks.sort((a, b) => a.atMs - b.atMs)
  }

  return { share: sentBytes / (bytesPerMs * (forMs / 2)), waitMs }
}

const MBIT = 1_000_000 / 8 / 1000

describe('CongestionWindow', () => {
  it.each([1.5, 8, 40].flatMap((mbit) => [5, 50, 200].map((delayMs) => [mbit, delayMs] as const)))(
    'fills a line of %d Mbit/s with a delay of %d ms, and lets others through (N12)',
    (mbit, delayMs) => {
      const { share, waitMs } = sendOver({ bytesPerMs: mbit * MBIT, delayMs }, 60_000)

      expect(share).toBeGreaterThan(0.9)
      // Alone a message takes there and back twice the delay: next to bulk, less than three times as long.
      expect(waitMs).toBeLessThan(4 * delayMs + 12)
    }
  )

  it('shares a line with others', () => {
    const { share, waitMs } = sendOver({ bytesPerMs: 8 * MBIT, delayMs: 50, senders: 5 }, 60_000)

    expect(share).toBeGreaterThan(0.9)
    expect(waitMs).toBeLessThan(200)
  })

  it('is not closed by a sender with little to send', () => {
    const window = new CongestionWindow()
    window.send(1000, true, -1000)
    window.receive(1000, -900)
    const { bytes } = window

    for (let nowMs = 0; nowMs < 10_000; nowMs += 1000) {
      window.send(1000, true, nowMs)
      window.receive(1000, nowMs + 100)
    }

    expect(window.bytes).toBe(bytes)
  })

  it('counts an ack for a part of a part', () => {
    const window = new CongestionWindow()
    window.send(1000, true, 0)
    expect(window.receive(400, 1)).toBe(true)
    expect(window.receive(600, 2)).toBe(true)
    expect(window.inFlight).toBe(0)
    expect(window.receive(1, 3)).toBe(false)
  })
})
