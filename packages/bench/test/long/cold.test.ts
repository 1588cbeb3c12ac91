import { expect, it } from 'vitest'
import { cold } from '../../src/scenarios/cold/cold.ts'
import { QUICK_MS, quickRun } from '../support/quick-run.ts'

it('the scenario cold measures a new program and first operations', {
  timeout: QUICK_MS
}, async () => {
  const { goals, tables } = await quickRun(cold)
  expect(goals).toHaveLength(4)
  expect(tables[0]?.rows[0]?.every((cell) => typeof cell === 'number' && cell > 0)).toBe(true)
})
