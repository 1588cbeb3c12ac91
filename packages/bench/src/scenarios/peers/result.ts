import type { ScenarioResult } from '../../interface.ts'
import { charts } from './charts.ts'
import { goals } from './goals.ts'
import { notes } from './notes.ts'
import type { Outcome } from './outcome.ts'
import { summary } from './summary.ts'
import { tables } from './tables.ts'

/** Tables, charts and goals of what was measured. */
export function resultOf(outcome: Outcome): ScenarioResult {
  const found = summary(outcome)

  return {
    notes: notes(found),
    tables: tables(found),
    charts: charts(found),
    goals: goals(found)
  }
}
