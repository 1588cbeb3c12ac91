import { CLOCK } from '../../../src/clock/clock-messages.ts'
import { clockReading, describeSkew, isSkewed, median } from '../../../src/clock-reading.ts'
import { NoiseMessages } from '../../../src/node/noise-messages.ts'
import { INTRODUCTION, MAX_INTRODUCED } from '../../../src/pages/introduction-messages.ts'
import { COMPARE } from '../../../src/upkeep/compare-messages.ts'
import { FINGERPRINT_BYTES } from '../../../src/upkeep/fingerprint.ts'
import { MAX_KEYS_PER_MESSAGE } from '../../../src/wire/limits.ts'
import type { Target } from '../fuzzer.ts'
import { areSame, assertThat } from './claims.ts'
import { bytesOf, examples, pieces } from './material.ts'
import { readIn } from './messages.ts'

/** Bytes as a message that compares replicas. */
const comparison: Target = {
  name: 'comparison',
  isWatched: (url) => url.includes('/dht/src/upkeep/') || url.includes('/dht/src/wire/'),
  seeds: examples('dht/test/fixtures/compare-messages.json'),
  words: ['8001', '8002', '8102', '808004', '818004', 'ffffffff0f'].map(bytesOf),
  try(input) {
    const message = readIn(COMPARE, input)

    if (message?.name === 'compare') {
      assertThat(message.keys.length <= MAX_KEYS_PER_MESSAGE, 'too many keys')
    } else if (message !== undefined) {
      const isWhole = message.fingerprints.every(({ length }) => length === FINGERPRINT_BYTES)
      assertThat(isWhole, 'a fingerprint has another length')
    }
  }
}

/** Bytes as a message by which servers introduce pages. */
const introduction: Target = {
  name: 'introduction',
  isWatched: (url) => url.includes('/dht/src/pages/') || url.includes('/dht/src/wire/'),
  seeds: examples('dht/test/fixtures/introduction-messages.json'),
  words: ['0001', '0114', '0115', '8001', '8101'].map(bytesOf),
  try(input) {
    const message = readIn(INTRODUCTION, input)

    if (message?.name === 'introduced') {
      assertThat(message.peers.length <= MAX_INTRODUCED, 'too many pages')
    }
  }
}

const OUR_TIME = 1_800_000_000

/** Bytes as a message of the clock protocol: every time in it is a number. */
const clock: Target = {
  name: 'clock',
  isWatched: (url) => url.includes('/dht/src/clock/') || url.includes('/dht/src/wire/'),
  seeds: examples('dht/test/fixtures/clock-messages.json'),
  words: ['7ff0', 'fff0', '7ff8', '7fef', '8000', '429f', '42a0'].map(bytesOf),
  try(input) {
    const message = readIn(CLOCK, input)

    if (message?.name === 'tell') {
      const { time: peerTime } = message
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

/**
 * Messages of noise. The first byte determines the cuts between the others, which make no difference.
 */
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
  return chunks.flatMap((chunk) => {
    const messages = reader.decode(chunk)

    while (reader.hasMore) {
      reader.release()
      messages.push(...reader.decode(new Uint8Array()))
    }

    return messages
  })
}

/** Readers of comparisons, of clocks, and of the layer below all protocols. */
export const questionTargets: readonly Target[] = [comparison, clock, introduction, noise]
