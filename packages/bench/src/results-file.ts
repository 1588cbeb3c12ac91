import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Effort, ScenarioResult } from './interface.ts'
import type { Circumstances } from './machine.ts'

/** Digits that mean something, and a few more. */
const DIGITS = 5

/** What the JSON file holds: of each scenario, by its name, the last result. */
export type Results = Readonly<Record<string, RecordedResult>>

export interface RecordedResult extends Circumstances {
  readonly title: string
  readonly effort: Effort
  readonly result: ScenarioResult
}

/** What was measured so far; nothing if there is no file. */
export function readResults(path: string): Results {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Results) : {}
}

/** Replaces the results of these scenarios, and leaves those of all others. */
export function mergeResults(path: string, results: Results): void {
  const merged = { ...readResults(path), ...results }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(merged, rounded, 2)}\n`)
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value)
    ? Number(value.toPrecision(DIGITS))
    : value
}
