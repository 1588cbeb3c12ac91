import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EXCHANGE } from '../../src/exchange/messages.ts'
import { ByteWriter } from '../../src/wire/bytes.ts'
import { FrameReader, writeFrame } from '../../src/wire/frames.ts'
import { MAX_MESSAGE_BYTES, MAX_PLAUSIBLE_MESSAGE_BYTES } from '../../src/wire/limits.ts'
import { MessageTooLargeError } from '../../src/wire/message-too-large-error.ts'
import { ProtocolViolationError } from '../../src/wire/protocol-violation-error.ts'
import { law } from '../support/effort.ts'
import { anyMessage } from '../support/exchange-messages.ts'
import { encoded, frameOf, headOf } from '../support/exchange-talker.ts'

/** Wraps bytes as libp2p delivers them. */
function chunk({ buffer, byteOffset, length }: Uint8Array): { subarray(): Uint8Array } {
  return { subarray: () => new Uint8Array(buffer, byteOffset, length) }
}

function pushed(bytes: Uint8Array): FrameReader {
  const reader = new FrameReader()
  reader.push(chunk(bytes))
  return reader
}

/** Reads all complete frames. */
function rest(reader: FrameReader): Uint8Array[] {
  const messages: Uint8Array[] = []

  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    messages.push(next)
  }

  return messages
}

/**
 * Writes the bytes in pieces of these sizes, in turn, and reads after each, or after every second one.
 */
function readInPieces(bytes: Uint8Array, sizes: readonly number[], isLazy: boolean): Uint8Array[] {
  const reader = new FrameReader()
  const messages: Uint8Array[] = []

  for (let start = 0, i = 0; start < bytes.length; i++) {
    const end = start + (sizes[i % sizes.length] ?? 1)
    reader.push(chunk(bytes.subarray(start, end)))
    start = end

    if (!isLazy || i % 2 === 0) {
      messages.push(...rest(reader))
    }
  }

  return [...messages, ...rest(reader)]
}

const message = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 12 }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 100, maxLength: 5000, size: 'max' }) }
)

describe('FrameReader', () => {
  it('gives back the same messages however they were cut (N3)', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 })
    const messages = fc.array(message, { maxLength: 8 })

    fc.assert(
      fc.property(messages, sizes, fc.boolean(), (sent, sizes, isLazy) => {
        expect(readInPieces(Buffer.concat(sent.map(frameOf)), sizes, isLazy)).toEqual(sent)
      }),
      law()
    )
  })

  it('reads what writeFrame has written, one after the other (N3)', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 4 }), (messages) => {
        const writer = new ByteWriter()

        for (const message of messages) {
          writeFrame(writer, message, EXCHANGE)
        }

        expect(rest(pushed(writer.take())).map((bytes) => EXCHANGE.read(bytes))).toEqual(messages)
      }),
      law()
    )
  })

  it('never reads what writeFrame would not write, whatever the limit is (N13l)', () => {
    fc.assert(
      fc.property(anyMessage, anyMessage, fc.nat(2000), (message, next, maxBytes) => {
        const writer = new ByteWriter()
        const { length } = encoded(message)
        const write = (): void => writeFrame(writer, message, EXCHANGE, maxBytes)

        if (length > maxBytes) {
          expect(write).toThrow(MessageTooLargeError)
        } else {
          write()
        }

        writeFrame(writer, next, EXCHANGE)
        const reader = new FrameReader({
          maxMessageBytes: Math.max(maxBytes, encoded(next).length)
        })
        reader.push(chunk(writer.take()))
        const expected = length > maxBytes ? [next] : [message, next]
        expect(rest(reader).map((bytes) => EXCHANGE.read(bytes))).toEqual(expected)
      }),
      law()
    )
  })

  it('leaves messages as they were given when more bytes come', () => {
    const reader = new FrameReader()
    const frames = Buffer.concat([1, 2, 3, 4].map((n) => frameOf(new Uint8Array(50).fill(n))))
    const given: Uint8Array[] = []

    for (let start = 0; start < frames.length; start += 20) {
      reader.push(chunk(frames.subarray(start, start + 20)))
      given.push(...rest(reader))
    }

    expect(given).toEqual([1, 2, 3, 4].map((n) => new Uint8Array(50).fill(n)))
  })

  it('waits for a head and a message that have come in part', () => {
    expect(pushed(headOf(1).subarray(0, 3)).next()).toBeUndefined()
    expect(pushed(headOf(1)).next()).toBeUndefined()
    expect(pushed(headOf(MAX_MESSAGE_BYTES)).next()).toBeUndefined()
  })

  it('takes a message of the largest size, and refuses a larger one at its head (N9b)', () => {
    const largest = pushed(frameOf(new Uint8Array(MAX_MESSAGE_BYTES)))

    expect(largest.next()).toHaveLength(MAX_MESSAGE_BYTES)
    expect(largest.next()).toBeUndefined()

    for (const length of [MAX_MESSAGE_BYTES + 1, 2 ** 30 - 1]) {
      expect(() => pushed(headOf(length)).next()).toThrow(`${length} bytes`)
    }
  })

  it('takes for a violation only a size that no version means (N13l)', () => {
    for (const length of [MAX_MESSAGE_BYTES + 1, MAX_PLAUSIBLE_MESSAGE_BYTES]) {
      expect(() => pushed(headOf(length)).next()).toThrow(MessageTooLargeError)
    }

    for (const length of [MAX_PLAUSIBLE_MESSAGE_BYTES + 1, 2 ** 30 - 1, 2 ** 32 - 1]) {
      expect(() => pushed(headOf(length)).next()).toThrow(ProtocolViolationError)
    }
  })

  it('refuses an empty message, alone and behind a good one (N9b)', () => {
    expect(() => pushed(headOf(0)).next()).toThrow(ProtocolViolationError)

    const reader = pushed(Buffer.concat([frameOf(Uint8Array.of(1)), headOf(0)]))
    expect(reader.next()).toEqual(Uint8Array.of(1))
    expect(() => reader.next()).toThrow(ProtocolViolationError)
  })

  it('reserves nothing for a message that is only announced (N9d)', () => {
    const before = process.memoryUsage().arrayBuffers
    const readers = Array.from({ length: 200 }, () => pushed(headOf(MAX_MESSAGE_BYTES)))

    for (const reader of readers) {
      reader.push(chunk(new Uint8Array(1)))
      reader.next()
    }

    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * MAX_MESSAGE_BYTES)
    expect(readers.every((reader) => reader.next() === undefined)).toBe(true)
  })

  it('takes a large message byte by byte in time that grows with its size alone (N9f)', () => {
    const content = new Uint8Array(MAX_MESSAGE_BYTES).fill(7)
    const frame = frameOf(content)
    const reader = new FrameReader()
    const startMs = performance.now()

    for (let i = 0; i < frame.length - 1; i++) {
      reader.push(chunk(frame.subarray(i, i + 1)))
      reader.next()
    }

    expect(reader.next()).toBeUndefined()
    reader.push(chunk(frame.subarray(-1)))
    expect(Buffer.compare(reader.next() ?? new Uint8Array(), content)).toBe(0)
    expect(performance.now() - startMs).toBeLessThan(20_000)
  })

  it('copies what waits seldom, however much more than a message that is (N9f)', () => {
    const reader = new FrameReader()
    const piece = new Uint8Array(1024)
    const startMs = performance.now()

    // Nothing is read. Copying all bytes with each piece would copy 500 GB.
    for (let i = 0; i < 32 * 1024; i++) {
      reader.push(chunk(piece))
    }

    expect(reader.length).toBe(32 * 1024 * 1024)
    expect(performance.now() - startMs).toBeLessThan(5000)
  })
})
