import { describe, expect, it } from 'vitest'
import { FrameGate } from '../../src/node/frame-gate.ts'

const [DATA, WINDOW_UPDATE, PING] = [0, 1, 2]
const [NONE, SYN, RST] = [0, 1, 8]
const MAX_FRAME_BYTES = 1000

function frame(
  type: number,
  flags: number,
  length: number,
  body = type === DATA ? length : 0
): Buffer {
  const bytes = Buffer.alloc(12 + body)
  bytes[1] = type
  bytes.writeUInt16BE(flags, 2)
  bytes.writeUInt32BE(1, 4)
  bytes.writeUInt32BE(length, 8)
  bytes.fill(7, 12)
  return bytes
}

function many(count: number, one: Buffer): Uint8Array {
  return Uint8Array.from(Buffer.concat(new Array(count).fill(one)))
}

/** Makes a gate with manual turns. */
function scene() {
  const turns: (() => void)[] = []
  const delivered: Uint8Array[] = []
  let isPaused = false
  let isBlocked = false
  const gate = new FrameGate({
    maxFrameBytes: MAX_FRAME_BYTES,
    deliver: (bytes) => delivered.push(bytes.slice()),
    turn: (task) => turns.push(task),
    pause: () => {
      isPaused = true
    },
    resume: () => {
      isPaused = false
    },
    isBlocked: () => isBlocked,
    onBacklog: () => {},
    nowMs: () => 0
  })
  return {
    gate,
    turns,
    isPaused: () => isPaused,
    block: (value: boolean) => {
      isBlocked = value
    },
    all: () => Uint8Array.from(Buffer.concat(delivered)),
    bytes: () => delivered.reduce((sum, { length }) => sum + length, 0),
    takeTurn: () => turns.shift()?.()
  }
}

describe('FrameGate', () => {
  it('gives on at once what a few frames bring, however they are cut', () => {
    const { gate, all, turns } = scene()
    const bytes = Buffer.concat([
      frame(WINDOW_UPDATE, SYN, 0),
      frame(DATA, NONE, 500),
      frame(PING, SYN, 3),
      frame(DATA, NONE, 0)
    ])

    for (let at = 0; at < bytes.length; at += 3) {
      gate.push(Uint8Array.from(bytes.subarray(at, at + 3)))
    }

    expect(all()).toEqual(Uint8Array.from(bytes))
    expect(turns).toEqual([])
  })

  it('gives on many frames in turns, and stops the other side meanwhile (N13a)', () => {
    const { gate, bytes, takeTurn, turns, isPaused } = scene()
    const pings = many(1000, frame(PING, SYN, 0))
    gate.push(pings)

    expect(bytes()).toBe(256 * 12)
    expect(isPaused()).toBe(true)
    takeTurn()
    expect(bytes()).toBe((256 + 64) * 12)

    while (turns.length > 0) {
      expect(turns).toHaveLength(1)
      takeTurn()
    }

    expect(bytes()).toBe(pings.length)
    expect(isPaused()).toBe(false)
  })

  it('keeps and counts what the muxer cannot take yet, and stops the other side meanwhile (N13b)', () => {
    const { gate, bytes, block, isPaused, takeTurn, turns } = scene()
    const ping = Uint8Array.from(frame(PING, SYN, 0))
    block(true)
    gate.push(ping)
    takeTurn()
    expect(bytes()).toBe(0)
    expect(gate.bufferedBytes).toBe(ping.length)
    expect(isPaused()).toBe(true)

    block(false)
    takeTurn()
    expect(bytes()).toBe(ping.length)
    expect(isPaused()).toBe(false)
    expect(turns).toEqual([])
  })

  it('counts each piece of a frame like a frame (N13a)', () => {
    const { gate, all, turns, takeTurn } = scene()
    gate.push(Uint8Array.from(frame(DATA, NONE, 1000, 0)))

    for (let i = 0; i < 1000; i++) {
      gate.push(Uint8Array.of(i))
    }

    expect(turns).toHaveLength(1)
    expect(all()).toHaveLength(12 + 255)
    takeTurn()
    expect(all()).toHaveLength(12 + 1000)
  })

  it('gives on a few streams in a turn: opening one costs more than anything else (N13a)', () => {
    const { gate, all, takeTurn } = scene()
    const openings = Buffer.concat([frame(WINDOW_UPDATE, SYN, 0), frame(WINDOW_UPDATE, RST, 0)])
    gate.push(many(100, openings))
    expect(all().length).toBe(32 * openings.length - 12)

    takeTurn()
    expect(all().length).toBe(36 * openings.length - 12)
  })

  it('keeps the order of what comes while something waits', () => {
    const { gate, all, turns, takeTurn } = scene()
    const pieces = Array.from({ length: 50 }, (_, i) => many(20, frame(PING, NONE, i)))

    for (const piece of pieces) {
      gate.push(piece)
    }

    while (turns.length > 0) {
      takeTurn()
    }

    expect(all()).toEqual(Uint8Array.from(Buffer.concat(pieces)))
  })

  it('refuses a frame that is larger than any may be: the muxer would hold all of it (N13b)', () => {
    const { gate } = scene()
    expect(() => gate.push(Uint8Array.from(frame(DATA, NONE, 1001, 0)))).toThrow(
      'a frame has 1001 bytes, at most 1000 are allowed'
    )
  })

  it('does not take the value of a ping for a length', () => {
    const { gate, bytes } = scene()
    gate.push(Uint8Array.from(frame(PING, SYN, 2 ** 32 - 1)))
    gate.push(Uint8Array.from(frame(PING, SYN, 1)))
    expect(bytes()).toBe(24)
  })

  it('counts what the muxer holds of a frame that is not all there (N13b)', () => {
    const { gate } = scene()
    gate.push(Uint8Array.from(frame(DATA, NONE, 1000, 600)))
    expect(gate.bufferedBytes).toBe(600)
    expect(gate.stuckSinceMs).toBeDefined()

    gate.push(new Uint8Array(400))
    expect(gate.bufferedBytes).toBe(0)
    expect(gate.stuckSinceMs).toBeUndefined()
  })
})
