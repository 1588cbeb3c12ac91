import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Effort, ScenarioResult } from './result.ts'

/** Significant digits that are kept: a few more than are meaningful. */
const DIGITS = 5

/** Content of the JSON file: the last result of each scenario by its name. */
export type Results = Readonly<Record<string, RecordedResult>>

export interface RecordedResult extends Circumstances {
  readonly title: string
  readonly effort: Effort
  readonly result: ScenarioResult
}

/** Machine and software of a measurement; `load` is the load average of the last minute before it. */
export interface Circumstances {
  readonly machine: { cpu: string; cores: number; memoryBytes: number; os: string; load: number }

  /** Versions of Node and of the compared packages. */
  readonly versions: Readonly<Record<string, string>>

  /** Commit of this repository, with a `+` if there were uncommitted changes. */
  readonly commit: string

  /** As YYYY-MM-DD. */
  readonly date: string
}

/** Reads the results; there are none without a file. */
export function readResults(path: string): Results {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Results) : {}
}

/** Replaces the results of the given scenarios and keeps all others. */
export function mergeResults(path: string, results: Results): void {
  const round = (_key: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isInteger(value)
      ? Number(value.toPrecision(DIGITS))
      : value
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify({ ...readResults(path), ...results }, round, 2)}\n`)
}
