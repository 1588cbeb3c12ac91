import { describe, expect, it } from 'vitest'
import { CongestionWindow } from '../../src/wire/congestion-window.ts'

interface Course {
  /** Share of the line in use in the second half. */
  readonly share: number

  /** Longest wait of a part in the second half, in ms. */
  readonly waitMs: number

  /** Mean size of a part in the second half. */
  readonly partBytes: number
}

interface Line {
  readonly bytesPerMs: number
  readonly delayMs: number

  /** The least time between acks, as where they wait for each other in TCP (Nagle's algorithm, and delayed acks). */
  readonly ackEveryMs?: number
}

/** A line with a queue of parts, which returns acknowledgements. */
class SimulatedLine {
  readonly #line: Line
  readonly #acks: { window: CongestionWindow; bytes: number; atMs: number }[] = []
  #freeAtMs = 0
  #deliveredMs = 0

  constructor(line: Line) {
    this.#line = line
  }

  /** Sends all that the window allows. Returns the bytes, the parts, and the wait of the last one. */
  send(window: CongestionWindow, nowMs: number): { bytes: number; parts: number; waitMs: number } {
    let [bytes, parts, waitMs] = [0, 0, 0]

    while (window.hasRoom) {
      const partBytes = window.partOf(Number.POSITIVE_INFINITY)
      window.send(partBytes, false, nowMs)
      bytes += partBytes
      parts++
      waitMs = Math.max(this.#freeAtMs - nowMs, 0)
      this.#freeAtMs = nowMs + waitMs + partBytes / this.#line.bytesPerMs
      const atMs = this.#freeAtMs + 2 * this.#line.delayMs
      this.#acks.push({ window, bytes: partBytes, atMs })
    }

    return { bytes, parts, waitMs }
  }

  deliver(nowMs: number): void {
    const { ackEveryMs = 0 } = this.#line

    if (
      nowMs < this.#deliveredMs + ackEveryMs ||
      (this.#acks[0]?.atMs ?? Number.POSITIVE_INFINITY) > nowMs
    ) {
      return
    }

    this.#deliveredMs = nowMs

    for (let ack = this.#acks[0]; ack !== undefined && ack.atMs <= nowMs; ack = this.#acks[0]) {
      this.#acks.shift()
      expect(ack.window.receive(ack.bytes, nowMs)).toBe(true)
    }
  }
}

/**
 * Makes a function that says whether both ends have a turn in a millisecond: at random, after a pause of limited
 * length, and after the first turn not before a time.
 */
function turnsWithin(maxPauseMs: number, busyMs: number): (nowMs: number) => boolean {
  let [state, nextMs] = [1, 0]

  return (nowMs) => {
    const isTurn = nowMs >= nextMs

    if (isTurn) {
      state = (state * 48_271) % 2_147_483_647
      nextMs = Math.max(nowMs + 1 + (state % (maxPauseMs + 1)), busyMs)
    }

    return isTurn
  }
}

/**
 * Sends over one line for a minute with several windows, which pause at times and after the first part.
 */
function sendOver({
  senders = 1,
  maxPauseMs = 0,
  busyMs = 0,
  ...line
}: Line & { senders?: number; maxPauseMs?: number; busyMs?: number }): Course {
  const isTurn = turnsWithin(maxPauseMs, busyMs)
  const windows = Array.from({ length: senders }, () => new CongestionWindow())
  const simulated = new SimulatedLine(line)
  const forMs = 60_000
  let [sentBytes, sentParts, longestMs] = [0, 0, 0]

  for (let nowMs = 0; nowMs < forMs; nowMs++) {
    const awake = isTurn(nowMs) ? windows : []
    awake.length > 0 && simulated.deliver(nowMs)

    for (const window of awake) {
      const { bytes, parts, waitMs } = simulated.send(window, nowMs)

      if (nowMs >= forMs / 2) {
        sentBytes += bytes
        sentParts += parts
        longestMs = Math.max(longestMs, waitMs)
      }
    }
  }

  const share = sentBytes / ((line.bytesPerMs * forMs) / 2)
  return { share, waitMs: longestMs, partBytes: sentBytes / sentParts }
}

const MBIT = 1_000_000 / 8 / 1000

describe('CongestionWindow', () => {
  it.each([1.5, 8, 40].flatMap((mbit) => [5, 50, 200].map((delayMs) => [mbit, delayMs] as const)))(
    'fills a line of %d Mbit/s with a delay of %d ms, and lets others through (N12)',
    (mbit, delayMs) => {
      const { share, waitMs } = sendOver({ bytesPerMs: mbit * MBIT, delayMs })

      expect(share).toBeGreaterThan(0.9)
      // Alone a message takes twice the delay, there and back: next to bulk about twice as long.
      expect(waitMs).toBeLessThan(2.2 * delayMs + 20)
    }
  )

  it.each([1.5, 8, 40])(
    'learns the delay of a line of %d Mbit/s whose ends were busy when it was opened (N12)',
    (mbit) => {
      const line = { bytesPerMs: mbit * MBIT, delayMs: 5, senders: 2, busyMs: 100 }
      const { share, waitMs } = sendOver(line)

      expect(share).toBeGreaterThan(0.9)
      expect(waitMs).toBeLessThan(80)
    }
  )

  it('fills a fast and long line within a few round trips (N12)', () => {
    const line = new SimulatedLine({ bytesPerMs: 40 * MBIT, delayMs: 200 })
    const window = new CongestionWindow()
    let bytes = 0

    for (let nowMs = 0; nowMs < 2000; nowMs++) {
      line.deliver(nowMs)
      bytes += line.send(window, nowMs).bytes
    }

    // One round trip measures the delay, and two more open the window.
    expect(bytes).toBeGreaterThan(0.4 * 40 * MBIT * 2000)
  })

  it('sends few parts where processors are slower than lines, as each costs them as much as a message', () => {
    const { partBytes, share, waitMs } = sendOver({ bytesPerMs: 225, delayMs: 3, maxPauseMs: 5 })

    expect(partBytes).toBeGreaterThan(1500)
    expect(share).toBeGreaterThan(0.9)
    expect(waitMs).toBeLessThan(30)
  })

  it('shares a line with others', () => {
    const { share, waitMs } = sendOver({ bytesPerMs: 8 * MBIT, delayMs: 50, senders: 5 })

    expect(share).toBeGreaterThan(0.9)
    expect(waitMs).toBeLessThan(250)
  })

  it.each([1.5, 8, 40])(
    'fills a line of %d Mbit/s whose ends are busy, for longer than the line delays (N12)',
    (mbit) => {
      const { share, waitMs } = sendOver({ bytesPerMs: mbit * MBIT, delayMs: 5, maxPauseMs: 60 })

      expect(share).toBeGreaterThan(0.8)
      expect(waitMs).toBeLessThan(130)
    }
  )

  it.each([1.5, 8, 40])(
    'fills a line of %d Mbit/s on which acks come together, as seldom as the line delays (N12)',
    (mbit) => {
      const { share, waitMs } = sendOver({ bytesPerMs: mbit * MBIT, delayMs: 20, ackEveryMs: 40 })

      expect(share).toBeGreaterThan(0.9)
      expect(waitMs).toBeLessThan(70)
    }
  )

  it('opens a window that was small for a while as parts arrive, so that few of them queue (N12)', () => {
    // Every half minute, little is in flight for two delays.
    const { waitMs } = sendOver({ bytesPerMs: 8 * MBIT, delayMs: 200 })
    expect(waitMs).toBeLessThan(450)
  })

  it('keeps a transfer at full speed that begins after a pause (N12)', () => {
    const line = new SimulatedLine({ bytesPerMs: 40 * MBIT, delayMs: 200 })
    const window = new CongestionWindow()
    let bytes = 0

    for (let nowMs = 0; nowMs < 40_000; nowMs++) {
      line.deliver(nowMs)

      if (nowMs < 10_000 || nowMs >= 30_000) {
        const sent = line.send(window, nowMs)
        bytes += nowMs < 30_000 ? 0 : sent.bytes
      }
    }

    expect(bytes).toBeGreaterThan(0.95 * 40 * MBIT * 10_000)
  })

  it('stays open for a near peer whose processor is busy', () => {
    const window = new CongestionWindow()

    for (let nowMs = 0; nowMs < 10_000; nowMs += 60) {
      while (window.hasRoom) {
        window.send(window.partOf(Number.POSITIVE_INFINITY), false, nowMs)
      }

      window.receive(window.inFlight, nowMs + (nowMs < 500 ? 1 : 60))
    }

    expect(window.bytes).toBeGreaterThan(1_000_000)
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
