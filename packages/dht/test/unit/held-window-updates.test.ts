import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HeldWindowUpdates } from '../../src/node/held-window-updates.ts'
import {
  dataFrame,
  flagsOf,
  GO_AWAY,
  headFrame,
  PING,
  readFrames,
  windowUpdate
} from '../support/yamux-frames.ts'

/** Half of yamux's initial window, in bytes. */
const THRESHOLD = 128 * 1024

/** Streams with held updates. */
const MAX_STREAMS = 256

/** Returns the frames that are passed on when these arrive one after the other. */
function passed(held: HeldWindowUpdates, frames: readonly Uint8Array[]): Uint8Array[] {
  return frames.flatMap((frame) => held.pass(frame).map((one) => one.subarray()))
}

describe('HeldWindowUpdates', () => {
  it('holds back an update that allows little', () => {
    const held = new HeldWindowUpdates()

    expect(held.pass(windowUpdate(1, 1))).toEqual([])
    expect(held.pass(windowUpdate(1, THRESHOLD - 2))).toEqual([])
  })

  it('releases them as one when they allow enough together', () => {
    const held = new HeldWindowUpdates()
    const out = passed(held, [
      windowUpdate(1, 100_000),
      windowUpdate(1, 31_071),
      windowUpdate(1, 1),
      windowUpdate(1, 1)
    ])

    expect(out).toEqual([windowUpdate(1, THRESHOLD)])
    expect(held.pass(windowUpdate(1, THRESHOLD - 2))).toEqual([])
    expect(held.pass(windowUpdate(1, 1))).toEqual([windowUpdate(1, THRESHOLD)])
  })

  it('passes on at once what allows enough by itself', () => {
    expect(new HeldWindowUpdates().pass(windowUpdate(1, THRESHOLD))).toEqual([
      windowUpdate(1, THRESHOLD)
    ])
  })

  it('adds up large updates without losing any of it', () => {
    const held = new HeldWindowUpdates()
    const large = 16 * 1024 * 1024

    expect(passed(held, [windowUpdate(9, 100), windowUpdate(9, large)])).toEqual([
      windowUpdate(9, large + 100)
    ])
  })

  it('holds back what doubles a window of which most is left', () => {
    const held = new HeldWindowUpdates()
    const window = 2 * THRESHOLD

    expect(passed(held, [windowUpdate(1, window + 20), windowUpdate(1, 2 * window + 20)])).toEqual(
      []
    )
    // Of the window of 1 MiB the sender has 256 KiB less 40 bytes left.
    expect(held.pass(windowUpdate(1, THRESHOLD - 41))).toEqual([])
    expect(held.pass(windowUpdate(1, 1))).toEqual([windowUpdate(1, 3 * window + THRESHOLD)])
  })

  it('leaves the sender half of the initial window whenever the window grows', () => {
    const read = fc.record({
      part: fc.double({ min: 0, max: 1, noNaN: true }),
      grows: fc.boolean()
    })

    fc.assert(
      fc.property(fc.array(read, { maxLength: 200, size: 'max' }), (reads) => {
        const held = new HeldWindowUpdates()
        let [window, left] = [2 * THRESHOLD, 2 * THRESHOLD]
        let unread = 0

        for (const { part, grows } of reads) {
          // The sender sends a part of what it may, and the muxer grants what has been read, and perhaps more.
          const sent = Math.floor(part * left)
          const grown = grows && window < 32 * THRESHOLD ? window : 0
          left -= sent
          unread += sent
          window += grown

          if (unread + grown > 0) {
            const out = readFrames(passed(held, [windowUpdate(1, unread + grown)]))
            unread = 0
            left += out.reduce((sum, { length }) => sum + length, 0)
          }

          expect(left).toBeGreaterThan(THRESHOLD)
          expect(left).toBeLessThanOrEqual(window)
        }
      })
    )
  })

  it('counts for each stream by itself', () => {
    const held = new HeldWindowUpdates()
    const most = THRESHOLD - 1

    expect(passed(held, [windowUpdate(1, most), windowUpdate(2, most)])).toEqual([])
    expect(held.pass(windowUpdate(2, 5))).toEqual([windowUpdate(2, most + 5)])
    expect(held.pass(windowUpdate(1, 1))).toEqual([windowUpdate(1, THRESHOLD)])
  })

  it.each([
    ['a data frame', dataFrame(1, Uint8Array.of(1, 2, 3))],
    ['an empty data frame', headFrame({ type: 0, stream: 1, length: 0 })],
    ['a data frame that looks like a head', headFrame({ type: 0, stream: 1, length: 100 })],
    ['a ping', headFrame({ type: PING, flags: 1, stream: 0, length: 7 })],
    ["a ping's answer", headFrame({ type: PING, flags: 2, stream: 0, length: 7 })],
    ['a farewell', headFrame({ type: GO_AWAY, stream: 0, length: 0 })],
    ...[1, 2, 4, 8, 3, 6, 0x100, 0x8000].map((flags): [string, Uint8Array] => [
      `an update with the flags ${flags}`,
      windowUpdate(1, 5, flags)
    ])
  ])('passes on %s as it is', (_, frame) => {
    const held = new HeldWindowUpdates()
    held.pass(windowUpdate(1, 50))
    const [first, ...others] = held.pass(frame)

    expect(first).toBe(frame)
    expect(others).toEqual([])
  })

  it('reads frames that lie somewhere in a larger buffer', () => {
    const held = new HeldWindowUpdates()
    const buffer = new Uint8Array(100)
    buffer.set(windowUpdate(3, THRESHOLD), 41)

    expect(held.pass(buffer.subarray(41, 53))).toEqual([windowUpdate(3, THRESHOLD)])
  })

  it('does not keep what it was given: a muxer may use its buffer again', () => {
    const held = new HeldWindowUpdates()
    const frame = windowUpdate(3, 1000)
    held.pass(frame)
    frame.fill(0xff)

    expect(held.pass(windowUpdate(3, THRESHOLD))).toEqual([windowUpdate(3, THRESHOLD + 1000)])
  })

  it('releases the oldest when it holds something of too many streams (N9d)', () => {
    const held = new HeldWindowUpdates()

    for (let stream = 1; stream <= MAX_STREAMS; stream++) {
      expect(held.pass(windowUpdate(stream, stream))).toEqual([])
    }

    // Stream 1 is no longer the oldest: it has just been heard of.
    expect(held.pass(windowUpdate(1, 10))).toEqual([])
    expect(held.pass(windowUpdate(1000, 1))).toEqual([windowUpdate(2, 2)])
    expect(held.pass(windowUpdate(1001, 1))).toEqual([windowUpdate(3, 3)])
  })

  it('never holds back so much that a sender could stand still, and loses nothing', () => {
    const update = fc.tuple(fc.integer({ min: 1, max: 400 }), fc.nat(200_000))

    fc.assert(
      fc.property(fc.array(update, { maxLength: 1000, size: 'max' }), (updates) => {
        const held = new HeldWindowUpdates()
        const owed = new Map<number, number>()

        for (const [stream, bytes] of updates) {
          owed.set(stream, (owed.get(stream) ?? 0) + bytes)

          for (const out of readFrames(passed(held, [windowUpdate(stream, bytes)]))) {
            owed.set(out.stream, (owed.get(out.stream) ?? 0) - out.length)
          }
        }

        const debts = [...owed.values()]
        expect(debts.every((debt) => debt >= 0 && debt < THRESHOLD)).toBe(true)
        expect(debts.filter((debt) => debt > 0).length).toBeLessThanOrEqual(MAX_STREAMS)
      })
    )
  })

  it('says nothing but plain updates of its own accord', () => {
    const held = new HeldWindowUpdates()
    const [out] = held.pass(windowUpdate(7, THRESHOLD)) as [Uint8Array]

    expect(flagsOf(out)).toBe(0)
    expect(out).toHaveLength(12)
  })
})
