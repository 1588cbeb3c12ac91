import { recordKey } from '@waggle/record'
import { peerTimeIn } from '../../../src/clock/clock-protocol.ts'
import { clockReading, describeSkew, isSkewed, median } from '../../../src/clock-reading.ts'
import { NoiseMessages } from '../../../src/node/noise-messages.ts'
import {
  MAX_COMPARED_KEYS,
  readFingerprints,
  readQuestion,
  writtenQuestion
} from '../../../src/upkeep/compare-protocol.ts'
import { FINGERPRINT_BYTES } from '../../../src/upkeep/fingerprint.ts'
import type { Target } from '../fuzzer.ts'
import { areSame, assertThat, isSame, unlessRefused } from './claims.ts'
import { bytesOf, pieces } from './material.ts'

const isCompared = (url: string): boolean =>
  url.includes('/dht/src/upkeep/') || url.includes('/dht/src/wire/bytes')

/** Bytes as the keys under which replicas are to be compared. */
const comparison: Target = {
  name: 'comparison',
  isWatched: isCompared,
  seeds: [[], ['a'], ['a', 'b', 'c']].map((keys) => writtenQuestion(keys.map((k) => recordKey(k)))),
  words: ['8001', '8002', '8102', '808004', '818004', 'ffffffff0f'].map(bytesOf),
  try(input) {
    const keys = unlessRefused(() => readQuestion(input), 'ExchangeProtocolError')

    if (keys !== undefined) {
      assertThat(keys.length <= MAX_COMPARED_KEYS, 'too many keys')
      assertThat(isSame(writtenQuestion(keys), input), 'a question has another form')
    }
  }
}

/** A byte that says how many keys were asked for, and bytes as the fingerprints of what is under them. */
const fingerprints: Target = {
  name: 'fingerprints',
  isWatched: isCompared,
  seeds: [0, 1, 2, 20].map((count) => new Uint8Array(1 + count * FINGERPRINT_BYTES).fill(count)),
  words: [new Uint8Array(FINGERPRINT_BYTES), new Uint8Array(FINGERPRINT_BYTES).fill(255)],
  try(input) {
    const [count = 0] = input
    const answer = input.subarray(1)
    const read = unlessRefused(() => readFingerprints(answer, count), 'ExchangeProtocolError')

    if (read !== undefined) {
      assertThat(read.length === count, 'other keys are answered than were asked for')
      assertThat(areSame(read, pieces(answer, FINGERPRINT_BYTES)), 'what is read is not the answer')
    }
  }
}

const OUR_TIME = 1_800_000_000

/** Bytes as the time that a peer has: all that is said and decided by it has a number. */
const clock: Target = {
  name: 'clock',
  isWatched: (url) => url.includes('/dht/src/clock/'),
  seeds: ['41dad27480000000', '0000000000000000', 'c1dad27480000000'].map(bytesOf),
  words: ['7ff0', 'fff0', '7ff8', '7fef', '8000', '429f', '42a0'].map(bytesOf),
  try(input) {
    const answer = new Uint8Array(8)
    answer.set(input.subarray(0, answer.length))
    const peerTime = unlessRefused(() => peerTimeIn(answer), 'ExchangeProtocolError')

    if (peerTime !== undefined) {
      const reading = clockReading({ askedAt: OUR_TIME, tookMs: 10, peerTime })
      const middle = median([reading.skewMs, -reading.skewMs])
      const isApart = Math.abs(peerTime - OUR_TIME) > 4
      assertThat(Number.isFinite(reading.skewMs), 'a difference is no number')
      assertThat(Number.isFinite(middle), 'the median is no number')
      assertThat(isSkewed(reading) || !isApart, 'a wrong clock is taken for a right one')
      assertThat(!/NaN|Infinity/.test(describeSkew(reading)), 'what is said has no number')
    }
  }
}

/** The first byte says how the others are cut; noise's messages come out as if they had not been. */
const noise: Target = {
  name: 'noise',
  isWatched: (url) => url.includes('/dht/src/node/noise-messages'),
  seeds: ['030000', '0300020102', '010003010203000007', '02ffff00'].map(bytesOf),
  words: ['0000', '0001', 'ffff', '00ff', '0100'].map(bytesOf),
  try(input) {
    const [step = 0] = input
    const bytes = input.subarray(1)
    const whole = noiseMessages([bytes])
    const cut = noiseMessages(pieces(bytes, 1 + step))
    assertThat(areSame(whole, cut), 'what comes in pieces is read otherwise')
    assertThat(
      whole.reduce((sum, { length }) => sum + 2 + length, 0) <= bytes.length,
      'more has come out than went in'
    )
  }
}

function noiseMessages(chunks: readonly Uint8Array[]): Uint8Array[] {
  const reader = new NoiseMessages()
  return chunks.flatMap((chunk) => reader.decode(chunk))
}

/** The protocols of one question and one answer, and what lies below all of them. */
export const questionTargets: readonly Target[] = [comparison, fingerprints, clock, noise]
