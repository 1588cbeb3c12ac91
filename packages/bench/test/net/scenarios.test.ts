import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run } from '../../src/command.ts'
import type { ScenarioResult } from '../../src/interface.ts'
import { report } from '../../src/report/report.ts'
import { readResults } from '../../src/results-file.ts'
import { measureFloors } from '../../src/scenarios/peers/measure-floor.ts'
import { measureSystem } from '../../src/scenarios/peers/measure-system.ts'
import { measureVanishing } from '../../src/scenarios/peers/measure-vanishing.ts'
import { emptyOutcome } from '../../src/scenarios/peers/outcome.ts'
import { PLANS } from '../../src/scenarios/peers/plan.ts'
import { resultOf } from '../../src/scenarios/peers/result.ts'
import { OTHERS, WAGGLE } from '../../src/systems/contestants.ts'

/** Some seconds suffice where nothing else runs; each part starts several processes. */
const TIMEOUT_MS = 120_000

// Quick runs: they show that everything works, and what comes of it. Figures are not looked at.

describe('the command', () => {
  it('runs a scenario, shows it, and keeps it for the report', {
    timeout: TIMEOUT_MS
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'waggle-bench-'))
    const out = join(folder, 'results.json')
    const lines: string[] = []
    const io = {
      out: (line: string) => lines.push(line),
      err: (line: string) => lines.push(line),
      defaultOut: '/nonexistent/benchmarks.json',
      signal: new AbortController().signal
    }

    try {
      expect(await run(['floor', '--quick', '--out', out], io), lines.join('\n')).toBe(0)
      expect(lines.join('\n')).toContain('one request to 5 peers at once, coalesced')

      const { floor } = readResults(out)
      expectWholeTables(floor?.result)
      expect([...report({ ...(floor && { floor }) }, []).keys()]).toContain(
        'benchmarks/floor-rate.svg'
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('the scenario peers', () => {
  const options = { plan: PLANS.quick, signal: new AbortController().signal }

  it('measures Waggle, the floor and failing nodes, without a failure', {
    timeout: TIMEOUT_MS
  }, async () => {
    const [round, floors, vanished] = await Promise.all([
      measureSystem(WAGGLE, options),
      measureFloors(options),
      measureVanishing(options)
    ])
    const outcome = emptyOutcome(options.plan, [WAGGLE, ...OTHERS])
    outcome.floors.push(floors)
    outcome.systems.get(WAGGLE)?.push(round)
    outcome.vanished.push(vanished)
    outcome.troubles.push('Something went wrong.')
    const result = resultOf(outcome)

    expectWholeTables(result)
    expect(result.tables[0]?.rows.map(([system]) => system)).toContain('kad-dht: did not finish')
    expect(result.notes).toContain('Something went wrong.')
    expect(failuresOf(result)).toEqual([true, true, true])
  })
})

/** Each row has a cell for each column, and no figure is missing where there should be one. */
function expectWholeTables(result: ScenarioResult | undefined): void {
  expect(result?.tables.length).toBeGreaterThan(0)

  for (const { columns, rows } of result?.tables ?? []) {
    for (const row of rows) {
      expect(row).toHaveLength(columns.length)
      expect(row).not.toContain(Number.NaN)
      expect(row).not.toContain(undefined)
    }
  }
}

/** Whether the goals that nothing fails are met. */
function failuresOf({ goals }: ScenarioResult): (boolean | undefined)[] {
  return goals.filter(({ text }) => text.includes('fails')).map(({ isMet }) => isMet)
}
