import { expect } from 'vitest'
import type { RunOptions, Scenario, ScenarioResult, Table } from '../../src/result/result.ts'

/** Time limit: some seconds suffice where nothing else runs. */
export const QUICK_MS = 180_000

/** Runs a scenario with tiny sizes, and checks that its result is complete. */
export async function quickRun(
  scenario: Scenario,
  options: Pick<RunOptions, 'systems'> = {}
): Promise<ScenarioResult> {
  const signal = AbortSignal.timeout(QUICK_MS)
  const result = await scenario.run({ ...options, effort: 'quick', signal, log: () => {} })

  expect(result.notes.length).toBeGreaterThan(0)
  expect(result.tables.length).toBeGreaterThan(0)
  expect(result.goals.length).toBeGreaterThan(0)

  for (const { title, columns, rows } of result.tables) {
    expect(rows.length, title).toBeGreaterThan(0)
    expect([...new Set(rows.map(({ length }) => length))], title).toEqual([columns.length])
    expect(
      rows.flat().filter((cell) => Number.isNaN(cell)),
      title
    ).toEqual([])
  }

  // It is written to a file and read again.
  expect(JSON.parse(JSON.stringify(result))).toEqual(result)
  return result
}

/** Returns the cells of a column, from the top down. */
export function column(table: Table | undefined, title: string): (string | number | null)[] {
  const index = table?.columns.indexOf(title) ?? -1
  expect(index, title).toBeGreaterThanOrEqual(0)
  return table?.rows.map((row) => row[index] ?? null) ?? []
}
