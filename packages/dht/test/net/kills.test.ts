import type { Durability } from '@waggle/dht'
import { describe, expect, it } from 'vitest'
import { IS_LONG } from '../support/effort.ts'
import { type KillLoopResult, killLoop } from '../support/kill-loop.ts'

/**
 * Kills for each durability. In the long suite they take half an hour, and the figures are printed.
 */
const KILLS = IS_LONG ? 100 : 2
const PATIENCE_MS = 60_000 + KILLS * 30_000

describe('a peer that is killed while it is written to', () => {
  it.each<Durability>(['written', 'synced'])(
    'comes back with all that it had acknowledged, and an undamaged disk (%s)',
    async (durability) => {
      const result = await killLoop({ kills: KILLS, durability })
      tell(durability, result)

      expect(result).toMatchObject({ lost: 0, damages: 0 })
      expect(result.acknowledged).toBeGreaterThan(KILLS * 10)
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

function tell(durability: Durability, { startMs, ...figures }: KillLoopResult): void {
  if (IS_LONG) {
    const median = startMs.toSorted((a, b) => a - b)[Math.floor(startMs.length / 2)]?.toFixed(0)
    const told = JSON.stringify(figures)
    process.stdout.write(`${durability}: ${KILLS} kills: ${told}, a start took ${median} ms\n`)
  }
}
