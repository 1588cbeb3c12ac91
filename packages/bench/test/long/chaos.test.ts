import { describe, expect, it } from 'vitest'
import { chaos } from '../../src/scenarios/chaos/chaos.ts'

/** Milliseconds: twice what three minutes of faults take, with the start and the end. */
const TIMEOUT_MS = 600_000

/** Hosts of their own on the loopback interface are Linux's. */
describe.runIf(process.platform === 'linux')('chaos', () => {
  it('loses nothing, shows nobody the past, and fails hardly a call', {
    timeout: TIMEOUT_MS
  }, async () => {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const result = await chaos.run({ effort: 'full', signal, log: () => {} })
    const unmet = result.goals.filter(({ isMet }) => isMet !== true)

    expect(unmet, result.notes.join('\n')).toEqual([])
    const [faults] = result.tables.slice(1)
    expect(faults?.rows[0]?.every((count) => Number(count) > 0)).toBe(true)
  })
})
