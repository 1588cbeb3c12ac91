/** How long and how much: `quick` only shows that everything works, its figures mean nothing. */
export type Effort = 'quick' | 'full'

/** What a scenario is given. */
export interface RunOptions {
  readonly effort: Effort

  /** Aborted when the run is to end early; the scenario ends its processes and rejects. */
  readonly signal: AbortSignal

  /** Only these of the systems that are compared, by their names, beside Waggle itself; all if undefined. */
  readonly systems?: readonly string[] | undefined

  /** Says what happens meanwhile. */
  log(line: string): void
}

/** One comparison that can be run by its name. */
export interface Scenario {
  readonly name: string

  /** What it measures, in one sentence. */
  readonly title: string
  run(options: RunOptions): Promise<ScenarioResult>
}

/** What a scenario found: plain data, as it stands in the JSON file. */
export interface ScenarioResult {
  /** How it was measured, what to keep in mind, a paragraph each. */
  readonly notes: readonly string[]
  readonly tables: readonly Table[]
  readonly charts: readonly Chart[]

  /** What the figures are to show, and whether they do. */
  readonly goals: readonly Goal[]
}

export interface Table {
  readonly title: string
  readonly columns: readonly Column[]

  /** A cell for each column; null where there is nothing to say. */
  readonly rows: readonly (readonly (string | number | null)[])[]
}

export interface Column {
  readonly title: string

  /** Such as `ms` or `1/s`; absent for text and counts. */
  readonly unit?: string
}

/** Bars by default; lines over a numeric x. A logarithmic axis where figures are orders apart. */
export interface Chart {
  readonly name: string
  readonly title: string
  readonly kind: 'bars' | 'lines'
  readonly x: {
    readonly title: string
    readonly values: readonly (string | number)[]
    readonly isLogarithmic?: boolean
  }
  readonly y: { readonly title: string; readonly isLogarithmic?: boolean }

  /** A value for each x; null where it was not measured. */
  readonly series: readonly {
    readonly title: string
    readonly values: readonly (number | null)[]
  }[]
}

export interface Goal {
  /** What is to hold, with its number: `get, one by one: p50 at most 4 × the bare stream's`. */
  readonly text: string

  /** What was measured, with its unit, or why it was not. */
  readonly measured: string

  /** Undefined where it was not measured. */
  readonly isMet: boolean | undefined
}
