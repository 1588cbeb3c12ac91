import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { IS_LONG } from '../support/effort.ts'
import { attackCalled, attackNames } from './attacks.ts'
import { compared } from './comparison.ts'
import { Stand } from './stand.ts'

const MIB = 2 ** 20
const WARM_MS = 2000
const ROUNDS = IS_LONG ? { count: 10, eachMs: 2000 } : { count: 2, eachMs: 300 }
const PATIENCE_MS = IS_LONG ? 300_000 : 60_000

/**
 * Factor by which the p99 of honest calls may grow. Only a long run has enough calls to tell growth from a busy
 * machine.
 */
const MAX_TIMES = IS_LONG ? 2 : Number.POSITIVE_INFINITY
const ALLOWANCE_MS = 10

/** Bytes that all peers' messages may take by default, uncollected garbage included. */
const MAX_MORE_BYTES: number = (256 + 128) * MIB

/** Records of honest peers: a tenth of the victim's room. */
const HONEST_RECORDS = 200
const LIMITS = { maxStoredRecords: 2000, maxStoredBytes: 16 * MIB }

describe('a peer that is attacked with', () => {
  let stand: Stand

  beforeAll(async () => {
    stand = await Stand.start(LIMITS)
    await stand.prepare(HONEST_RECORDS)
    await stand.work(WARM_MS)
  })

  afterAll(() => stand?.[Symbol.asyncDispose]())

  it.each(attackNames.map((name) => [attackCalled(name).what, name] as const))(
    '%s serves others, loses nothing of theirs, and cuts off who misbehaves (N9c)',
    async (_, name) => {
      const residentBytes = stand.residentBytes()
      const { during, control, report } = await compared(stand, name, ROUNDS)
      const { attempts, isConnected } = report

      expect(attempts).toBeGreaterThan(0)
      expect(during.calls).toBeGreaterThan(20)
      expect(during.p99Ms).toBeLessThan(MAX_TIMES * control.p99Ms + ALLOWANCE_MS)
      expect(await stand.lost()).toBe(0)
      const { records, bytes } = await stand.victim.stats()
      expect(records).toBeLessThanOrEqual(LIMITS.maxStoredRecords)
      expect(bytes).toBeLessThanOrEqual(LIMITS.maxStoredBytes)
      // Uncollected garbage counts, too.
      expect(stand.residentBytes() - residentBytes).toBeLessThan(MAX_MORE_BYTES)

      if (attackCalled(name).isOffence) {
        expect(isConnected).toBe(false)
      }
    },
    PATIENCE_MS
  )
})
