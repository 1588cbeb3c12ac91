import type { Stream } from '@libp2p/interface'
import { describe, expect, it, vi } from 'vitest'
import { type ConnectionPair, connectionPair, type Making } from '../support/connection-pair.ts'
import { PATIENCE } from '../support/libp2p-node.ts'
import { load, receiveAll, sendAll } from '../support/transfer.ts'
import { readFrames, WINDOW_UPDATE } from '../support/yamux-frames.ts'

/** The type of yamux's data frames, and two flags. */
const [DATA, SYN, ACK] = [0, 1, 2]

/** A pair of connection ends, and the bytes of the near one. */
interface Overheard extends ConnectionPair {
  /** The pieces that the near end's muxer sends. */
  readonly pieces: Uint8Array[]

  /** For each write of its encrypter, whether it is a single piece of memory. */
  readonly writes: boolean[]
}

async function overheard(near: Making): Promise<Overheard> {
  const pieces: Uint8Array[] = []
  const writes: boolean[] = []
  const pair = await connectionPair({
    near,
    far: 'plain',
    tap: {
      onFrames: (bytes) => pieces.push(bytes),
      onWrite: (bytes) => writes.push(bytes instanceof Uint8Array)
    }
  })
  pieces.length = 0
  writes.length = 0
  return Object.assign(pair, { pieces, writes })
}

/** Sends a message from each end in turn, several times. */
async function talk([a, b]: [Stream, Stream], rounds: number, size: number): Promise<void> {
  const message = load(size)

  for (let i = 0; i < rounds; i++) {
    const asked = receiveAll(b, size)
    await sendAll(a, message)
    await asked
    const answered = receiveAll(a, size)
    await sendAll(b, message)
    await answered
  }
}

describe('coalescingMuxer', () => {
  it('sends nothing but what is said, where yamux answers each message with an update', async () => {
    const counts: number[] = []
    const rounds = 100

    for (const making of ['plain', 'ours'] as const) {
      await using pair = await overheard(making)
      const streams = await pair.open()
      pair.pieces.length = 0
      await talk(streams, rounds, 200)
      counts.push(pair.pieces.length)
    }

    const [plain, ours] = counts
    expect(plain).toBeGreaterThanOrEqual(2 * rounds)
    expect(ours).toBeGreaterThanOrEqual(rounds)
    // yamux widens its window a few times, which is worth telling.
    expect(ours).toBeLessThan(1.1 * rounds)
  })

  it('sends a window update for each half of a window, and none is lost', async () => {
    await using pair = await overheard('ours')
    const [a, b] = await pair.open()
    pair.pieces.length = 0
    const back = load(1024 * 1024)
    const received = receiveAll(a, back.bytes.length)
    await sendAll(b, back)
    expect(await received).toBe(back.digest)

    const updates = readFrames(pair.pieces).filter(({ type }) => type === WINDOW_UPDATE)
    const allowed = updates.reduce((sum, { length }) => sum + length, 0)
    expect(updates.every(({ length }) => length >= 128 * 1024)).toBe(true)
    expect(allowed).toBeGreaterThan(back.bytes.length - 128 * 1024)
  })

  it('sends all frames of one moment in one piece, whatever stream they are of', async () => {
    await using pair = await overheard('ours')
    const pairs: [Stream, Stream][] = []

    for (let i = 0; i < 20; i++) {
      pairs.push(await pair.open())
    }

    const received = pairs.map(([, b]) => receiveAll(b, 300))
    pair.pieces.length = 0

    for (const [a] of pairs) {
      for (let i = 0; i < 3; i++) {
        a.send(new Uint8Array(100).fill(i))
      }
    }

    expect(pair.pieces).toEqual([])
    await Promise.all(received)
    expect(pair.pieces).toHaveLength(1)
    const frames = readFrames(pair.pieces)
    expect(frames.map(({ length }) => length)).toEqual(new Array(60).fill(100))
    expect(new Set(frames.map(({ stream }) => stream)).size).toBe(20)
  })

  it('opens a stream together with its first data, and confirms it together with its protocol', async () => {
    await using opener = await overheard('ours')
    await opener.open()
    const [opened = new Uint8Array(0)] = opener.pieces
    expect(readFrames([opened]).map(({ type, flags }) => [type, flags])).toEqual([
      [WINDOW_UPDATE, SYN],
      [DATA, 0]
    ])

    await using acceptor = await overheard('ours')
    await acceptor.back.newStream('/test/1.0.0')
    const [confirmed = new Uint8Array(0)] = acceptor.pieces
    expect(readFrames([confirmed]).map(({ type, flags }) => [type, flags])).toEqual([
      [WINDOW_UPDATE, ACK],
      [DATA, 0],
      [DATA, 0]
    ])
  })

  it('sends what opens, ends and resets a stream though nothing follows', async () => {
    await using pair = await overheard('ours')
    const [a, b] = await pair.open()
    const [c, d] = await pair.open()
    expect(readFrames(pair.pieces).map(({ flags }) => flags)).toContain(1)

    await a.close()
    await vi.waitUntil(() => b.remoteWriteStatus === 'closed', PATIENCE)
    c.abort(new Error('enough'))
    await vi.waitUntil(() => d.status === 'reset', PATIENCE)
  })

  it('does nothing for the bytes: what is sent is what yamux sends, but for the updates', async () => {
    const said: unknown[] = []

    for (const making of ['plain', 'ours'] as const) {
      await using pair = await overheard(making)
      const [a, b] = await pair.open()
      pair.pieces.length = 0
      const sizes = [1, 2000, 77_777]

      for (const size of sizes) {
        const received = receiveAll(b, size)
        a.send(new Uint8Array(size).fill(size))
        await received
      }

      await a.close()
      await vi.waitUntil(() => b.remoteWriteStatus === 'closed', PATIENCE)
      said.push(Buffer.concat(pair.pieces).toString('base64'))
    }

    expect(said[0]).toBe(said[1])
  })
})

describe('unfragmentedWrites', () => {
  it('writes each message as one piece, where noise writes a length and a ciphertext', async () => {
    const parts: boolean[] = []

    for (const making of ['plain', 'ours'] as const) {
      await using pair = await overheard(making)
      const streams = await pair.open()
      await talk(streams, 10, 2000)

      expect(pair.writes.length).toBeGreaterThan(10)
      parts.push(pair.writes.every((isWhole) => isWhole))
    }

    expect(parts).toEqual([false, true])
  })

  it('reads without an error for every message, where noise makes one', async () => {
    const errors: number[] = []

    for (const making of ['plain', 'ours'] as const) {
      await using pair = await connectionPair({ near: making, far: making })
      const streams = await pair.open()
      const make = vi.fn(Reflect.apply)
      vi.stubGlobal('RangeError', new Proxy(RangeError, { apply: make }))
      await talk(streams, 10, 2000)
      vi.unstubAllGlobals()
      errors.push(make.mock.calls.length)
    }

    expect(errors).toEqual([expect.toSatisfy((count) => count >= 20), 0])
  })
})
