import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { MAX_MESSAGES_AT_ONCE, NoiseMessages } from '../../src/node/noise-messages.ts'

const message = fc.uint8Array({ maxLength: 600 })

/** Frames messages as noise does. */
function framed(messages: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(
    messages.flatMap((bytes) => [bytes.length >> 8, bytes.length & 255, ...bytes])
  )
}

/** Returns the messages read from pieces of these sizes, in turn. */
function cut(
  bytes: Uint8Array,
  sizes: readonly number[],
  decoder = new NoiseMessages()
): Uint8Array[] {
  const messages: Uint8Array[] = []

  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1
    messages.push(...decoder.decode(bytes.subarray(at, at + size)))
    at += size
  }

  return messages
}

describe('NoiseMessages', () => {
  it('gives back every message that is not empty, however it arrives', () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
        (messages, sizes) => {
          const whole = messages.filter(({ length }) => length > 0)
          expect(cut(framed(messages), sizes)).toEqual(whole)
        }
      )
    )
  })

  it('gives back the largest message, byte by byte', () => {
    const largest = new Uint8Array(65_535).fill(7)
    expect(cut(framed([largest]), [4096, 1])).toEqual([largest])
  })

  it('copies few bytes of a message that comes byte by byte (N13a)', () => {
    const set = vi.spyOn(Uint8Array.prototype, 'set')
    const largest = framed([new Uint8Array(65_535)])
    cut(largest, [1])
    const copied = set.mock.calls.reduce((sum, [bytes]) => sum + bytes.length, 0)
    set.mockRestore()
    expect(copied).toBeLessThan(4 * largest.length)
  })

  it('goes on with what another decoder had begun', () => {
    const bytes = framed([Uint8Array.of(1, 2, 3)])
    expect(cut(bytes.subarray(3), [1], new NoiseMessages(bytes.slice(0, 3)))).toEqual([
      Uint8Array.of(1, 2, 3)
    ])
  })

  it('gives out a message that came whole without a copy', () => {
    const bytes = framed([Uint8Array.of(1, 2, 3)])
    const [only] = new NoiseMessages().decode(bytes)
    expect(only?.buffer).toBe(bytes.buffer)
  })

  it('gives out so many at once, and the others when it is their turn (N13a)', () => {
    let mores = 0
    const decoder = new NoiseMessages(undefined, () => mores++)
    const all = Array.from({ length: 200 }, (_, i) => Uint8Array.of(i))
    const bytes = framed(all)
    const given = [decoder.decode(bytes.subarray(0, 500))]
    given.push(decoder.decode(bytes.subarray(500)))
    expect([given.map(({ length }) => length), mores]).toEqual([[MAX_MESSAGES_AT_ONCE, 0], 2])

    while (decoder.hasMore) {
      decoder.release()
      given.push(decoder.decode(new Uint8Array()))
    }

    expect(given.flat()).toEqual(all)
    expect(given.every(({ length }) => length <= MAX_MESSAGES_AT_ONCE)).toBe(true)
  })
})
