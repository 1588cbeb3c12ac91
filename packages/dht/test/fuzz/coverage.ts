import { type Profiler, Session } from 'node:inspector'

/** Whether the code of a script counts, by its address. */
export type IsWatched = (url: string) => boolean

/** A range of positions in a script. */
type Span = readonly [start: number, end: number]

/** The parts of each function in use that have not run. */
export type Run = ReadonlyMap<string, readonly Span[]>

/**
 * The executed parts of the code, according to V8, which counts every block from one question to the next.
 */
export class Coverage implements Disposable {
  readonly #session = new Session()
  readonly #isWatched: IsWatched
  readonly #missed = new Map<string, readonly Span[]>()

  constructor(isWatched: IsWatched) {
    this.#isWatched = isWatched
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** Number of executed functions. */
  get functions(): number {
    return this.#missed.size
  }

  /** Number of parts of them that have not run. */
  get missedParts(): number {
    return [...this.#missed.values()].reduce((sum, { length }) => sum + length, 0)
  }

  /** Returns the parts that have run since the last call. */
  take(): Run {
    const run = new Map<string, readonly Span[]>()

    for (const { url, scriptId, functions } of this.#counted()) {
      if (this.#isWatched(url)) {
        for (const { ranges } of functions) {
          addFunction(run, scriptId, ranges)
        }
      }
    }

    return run
  }

  /** Whether a run has executed anything for the first time. */
  isNew(run: Run): boolean {
    for (const [name, missed] of run) {
      const before = this.#missed.get(name)

      if (before === undefined || lengthOf(common(before, missed)) < lengthOf(before)) {
        return true
      }
    }

    return false
  }

  /** Adds a run. */
  add(run: Run): void {
    for (const [name, missed] of run) {
      const before = this.#missed.get(name)
      this.#missed.set(name, before === undefined ? missed : common(before, missed))
    }
  }

  [Symbol.dispose](): void {
    this.#session.post('Profiler.stopPreciseCoverage')
    this.#session.disconnect()
  }

  /** Reads V8's counts. The inspector calls back synchronously, despite its interface. */
  #counted(): readonly Profiler.ScriptCoverage[] {
    let counted: readonly Profiler.ScriptCoverage[] = []
    this.#session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error !== null) {
        throw error
      }

      counted = taken.result
    })
    return counted
  }
}

/** Adds a function's ranges. They are nested, the outer one first, and the inner one counts. */
function addFunction(
  run: Map<string, readonly Span[]>,
  scriptId: string,
  [whole, ...parts]: readonly Profiler.CoverageRange[]
): void {
  if (whole !== undefined && whole.count > 0) {
    const missed = parts.filter(({ count }) => count === 0)
    run.set(
      `${scriptId}:${whole.startOffset}:${whole.endOffset}`,
      missed.map(({ startOffset, endOffset }): Span => [startOffset, endOffset])
    )
  }
}

/** Intersects two lists, neither of which has overlapping spans. */
function common(a: readonly Span[], b: readonly Span[]): Span[] {
  return a.flatMap(([start, end]) =>
    b
      .map(([otherStart, otherEnd]): Span => [Math.max(start, otherStart), Math.min(end, otherEnd)])
      .filter(([from, to]) => from < to)
  )
}

function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, [start, end]) => sum + end - start, 0)
}
