import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { frameOf, OPCODE, WebSocketFrameReader } from '../../src/transport/websocket-frames.ts'

const payload = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.uint8Array({ minLength: 65_530, maxLength: 65_540 })
)

interface Heard {
  readonly data: number[]
  pieces: number
  readonly pings: string[]
  isClosed: boolean
}

function reader(isMasked: boolean): { heard: Heard; frames: WebSocketFrameReader } {
  const heard: Heard = { data: [], pieces: 0, pings: [], isClosed: false }
  const frames = new WebSocketFrameReader(
    {
      onData: (piece) => {
        heard.pieces++

        for (const byte of piece) {
          heard.data.push(byte)
        }
      },
      onPing: (bytes) => heard.pings.push(Buffer.from(bytes).toString()),
      onClose: () => {
        heard.isClosed = true
      }
    },
    { isMasked }
  )
  return { heard, frames }
}

function pushInPieces(
  frames: WebSocketFrameReader,
  bytes: Uint8Array,
  sizes: readonly number[]
): void {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1
    frames.push(bytes.subarray(at, at + size))
    at += size
  }
}

/** Makes a frame with any head. */
function rawFrame(head: readonly number[], body: readonly number[] = []): Uint8Array {
  return Uint8Array.from([...head, ...body])
}

describe('WebSocketFrameReader', () => {
  it('reads what frameOf writes, in pieces of any size, masked or not', () => {
    fc.assert(
      fc.property(
        fc.array(payload, { maxLength: 3 }),
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        (payloads, sizes, isMasked) => {
          const { heard, frames } = reader(isMasked)
          const written = payloads.map((bytes) =>
            frameOf(bytes, { opcode: OPCODE.binary, isMasked })
          )
          pushInPieces(frames, Buffer.concat(written), sizes)
          expect(Buffer.from(heard.data).equals(Buffer.concat(payloads))).toBe(true)
        }
      ),
      { numRuns: 60 }
    )
  })

  it('passes on what has come of a frame that claims to be endless (N13n)', () => {
    const { heard, frames } = reader(false)
    frames.push(rawFrame([0x82, 127, 0, 0, 0x0f, 0xff, 0, 0, 0, 0], [1, 2, 3]))
    frames.push(Uint8Array.of(4))
    expect(heard.data).toEqual([1, 2, 3, 4])
  })

  it('reads a message in parts, with a ping between them', () => {
    const { heard, frames } = reader(false)
    frames.push(rawFrame([0x02, 1], [7]))
    frames.push(frameOf(Buffer.from('hello'), { opcode: OPCODE.ping, isMasked: false }))
    frames.push(rawFrame([0x80, 1], [8]))
    expect(heard).toMatchObject({ data: [7, 8], pings: ['hello'], isClosed: false })
  })

  it('passes on all frames of a chunk in one piece, and before the end (N13a)', () => {
    const { heard, frames } = reader(false)
    const one = rawFrame([0x82, 1], [7])
    frames.push(Buffer.concat([one, one, one]))
    expect(heard).toMatchObject({ data: [7, 7, 7], pieces: 1 })
    frames.push(Buffer.concat([one, one, rawFrame([0x88, 0])]))
    expect(heard).toMatchObject({ data: [7, 7, 7, 7, 7], pieces: 2, isClosed: true })
  })

  it.each([
    ['one byte', rawFrame([0x82, 0x81, 1, 2, 3, 4], [7])],
    ['nothing', rawFrame([0x82, 0x80, 1, 2, 3, 4])],
    ['an empty pong', rawFrame([0x8a, 0x80, 1, 2, 3, 4])]
  ])('takes 1,024 frames of %s at once, and no more (N13a)', (_, frame) => {
    const { frames } = reader(true)
    const many = Buffer.concat(new Array(1024).fill(frame))
    frames.push(many)
    frames.push(many)
    expect(() => frames.push(Buffer.concat([many, frame]))).toThrow(/WebSocket/)
  })

  it('takes any number of frames of eight bytes', () => {
    const { heard, frames } = reader(false)
    const frame = frameOf(new Uint8Array(8), { opcode: OPCODE.binary, isMasked: false })
    frames.push(Buffer.concat(new Array(5000).fill(frame)))
    expect(heard.data).toHaveLength(40_000)
  })

  it('reads nothing after the end', () => {
    const { heard, frames } = reader(false)
    frames.push(rawFrame([0x88, 0], [0x82, 1, 9]))
    expect(heard).toMatchObject({ data: [], pings: [], isClosed: true })
  })

  it.each([
    ['text', rawFrame([0x81, 1], [65])],
    ['a frame that is not masked as it should be', rawFrame([0x82, 0x81], [0, 0, 0, 0, 1])],
    ['an extension', rawFrame([0xc2, 1], [1])],
    ['a continuation of nothing', rawFrame([0x80, 1], [1])],
    ['a message within another', rawFrame([0x02, 1, 1, 0x82, 1], [1])],
    ['a control frame in parts', rawFrame([0x09, 0])],
    ['a control frame that is too long', rawFrame([0x89, 126, 0, 126])],
    ['an unknown control frame', rawFrame([0x8b, 0])],
    ['a length beyond all numbers', rawFrame([0x82, 127, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])]
  ])('throws for %s', (_, frame) => {
    expect(() => reader(false).frames.push(frame)).toThrow(/WebSocket/)
  })
})
