import { type Profiler, Session } from 'node:inspector'

/** Which of the code is watched, by the scripts' addresses. */
export type IsWatched = (url: string) => boolean

/** From one place in a script to another. */
type Span = readonly [start: number, end: number]

/** Of each function that has run, the parts that have not. */
export type Run = ReadonlyMap<string, readonly Span[]>

/**
 * What parts of the code have run, from V8 itself: it counts every block, and starts anew each time it
 * is asked.
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

  /** Functions that have run. */
  get functions(): number {
    return this.#missed.size
  }

  /** Parts of them that have not. */
  get missedParts(): number {
    return [...this.#missed.values()].reduce((sum, { length }) => sum + length, 0)
  }

  /** What has run since the last time. */
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

  /** Whether something is in it that had not run before. */
  isNew(run: Run): boolean {
    for (const [name, missed] of run) {
      const before = this.#missed.get(name)

      if (before === undefined || lengthOf(common(before, missed)) < lengthOf(before)) {
        return true
      }
    }

    return false
  }

  /** Counts it as having run. */
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

  /** Answers at once, although it looks as if it did not. */
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

/** Ranges lie inside each other, the outer one first, and the inner one counts. */
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

/** What is in both. Neither has spans that overlap. */
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
