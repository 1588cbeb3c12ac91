import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AttackerProcess } from './attacker-process.ts'
import { attackCalled, attackNames } from './attacks.ts'
import { type Latencies, Stand } from './stand.ts'

const MIB = 2 ** 20
const WARM_MS = 2000
const ATTACK_MS = 2500

/** Far beyond what a call takes beside an attack, far below what it takes when it has to wait for one to end. */
const PATIENCE_MS = 500

/** Honest peers have a tenth of what the victim holds. */
const HONEST_RECORDS = 200
const LIMITS = { maxStoredRecords: 2000, maxStoredBytes: 16 * MIB }

describe('a peer that is attacked with', () => {
  let stand: Stand
  let before: Latencies

  beforeAll(async () => {
    stand = await Stand.start(LIMITS)
    await stand.prepare(HONEST_RECORDS)
    await stand.work(WARM_MS)
    before = await stand.work(WARM_MS)
  })

  afterAll(() => stand?.[Symbol.asyncDispose]())

  it.each(attackNames.map((name) => [attackCalled(name).what, name] as const))(
    '%s serves others, loses nothing of theirs, and cuts off who misbehaves (N9)',
    async (_, name) => {
      const residentBytes = stand.residentBytes()
      await using attacker = await AttackerProcess.start(name, stand.victim.multiaddrs)
      const during = await stand.work(ATTACK_MS)
      const { attempts, isConnected } = await attacker.stop()

      expect(attempts).toBeGreaterThan(0)
      expect(during.calls).toBeGreaterThan(20)
      expect(during.p99Ms).toBeLessThan(Math.max(4 * before.p99Ms, PATIENCE_MS))
      expect(await stand.lost()).toBe(0)
      const { records, bytes } = await stand.victim.stats()
      expect(records).toBeLessThanOrEqual(LIMITS.maxStoredRecords)
      expect(bytes).toBeLessThanOrEqual(LIMITS.maxStoredBytes)
      // What has not been collected yet counts, too.
      expect(stand.residentBytes() - residentBytes).toBeLessThan(500 * MIB)

      if (attackCalled(name).isOffence) {
        expect(isConnected).toBe(false)
      }
    }
  )
})
