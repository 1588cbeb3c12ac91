import type { Durability } from '@waggle/dht'
import { describe, expect, it } from 'vitest'
import { killLoop } from '../support/kill-loop.ts'

/** A few by default, which take seconds. `WAGGLE_KILLS=100` takes minutes, and tells the figures. */
const KILLS = Number(process.env['WAGGLE_KILLS'] ?? 3)
const PATIENCE_MS = 60_000 + KILLS * 30_000

describe('a peer that is killed while it is written to', () => {
  it.each<Durability>(['written', 'synced'])(
    'comes back with all that it had acknowledged, and an undamaged disk (%s)',
    async (durability) => {
      const { acknowledged, lost, damages, startMs } = await killLoop({ kills: KILLS, durability })
      tell(durability, { acknowledged, lost, damages, startMs })

      expect({ lost, damages }).toEqual({ lost: 0, damages: 0 })
      expect(acknowledged).toBeGreaterThan(KILLS * 10)
    },
    PATIENCE_MS
  )

  it(
    'comes back with an undamaged disk, and without what it wrote last (relaxed)',
    async () => {
      const result = await killLoop({ kills: KILLS, durability: 'relaxed' })
      tell('relaxed', result)

      expect(result.damages).toBe(0)
      expect(result.acknowledged).toBeGreaterThan(KILLS * 10)
    },
    PATIENCE_MS
  )
})

function tell(durability: Durability, result: object): void {
  if (process.env['WAGGLE_KILLS'] !== undefined) {
    process.stdout.write(`${durability}: ${KILLS} kills: ${JSON.stringify(result)}\n`)
  }
}
