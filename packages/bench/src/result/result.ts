/** Size of a run. `quick` only checks that everything works; its figures are meaningless. */
export type Effort = 'quick' | 'full'

export interface RunOptions {
  readonly effort: Effort

  /** Ends the run early: the scenario kills its processes and rejects. */
  readonly signal: AbortSignal

  /** Names of the systems to compare with Waggle; all of them if undefined. */
  readonly systems?: readonly string[] | undefined

  /** Reports progress. */
  readonly log: (line: string) => void
}

export interface Scenario {
  readonly name: string

  /** One sentence on the subject of the measurement. */
  readonly title: string

  /**
   * Runs only when it is named.
   *
   * @default false
   */
  readonly isLong?: boolean
  run(options: RunOptions): Promise<ScenarioResult>
}

/** Result of a scenario: plain data, as the JSON file holds it. */
export interface ScenarioResult {
  /** Method and caveats, one paragraph each. */
  readonly notes: readonly string[]
  readonly tables: readonly Table[]
  readonly goals: readonly Goal[]
}

/** Null for an empty cell. */
export type Cell = string | number | null

export interface Table {
  readonly title: string

  /** Headings, with the unit in parentheses. */
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
}

export interface Goal {
  /** The statement, with its limit. */
  readonly text: string

  /** The measured value with its unit, or the reason why there is none. */
  readonly measured: string

  /** Undefined if it was not measured. */
  readonly isMet: boolean | undefined
}
