import { Coverage } from './coverage.ts'
import { mutated } from './mutation.ts'
import { type Random, seededRandom } from './random.ts'

/** A function that reads bytes of strangers. */
export interface Target {
  readonly name: string

  /** Whether the code of a script is to be covered. */
  readonly isWatched: (url: string) => boolean

  /** The first inputs. */
  readonly seeds: readonly Uint8Array[]

  /** Meaningful pieces of inputs. */
  readonly words: readonly Uint8Array[]

  /** Whether one input takes about a millisecond. */
  readonly isSlow?: true

  /** Throws if the input causes a forbidden outcome. */
  try(input: Uint8Array): void
}

/** An input with a forbidden outcome. */
export interface Finding {
  readonly input: Uint8Array
  readonly error: unknown
}

export interface Outcome {
  readonly inputs: number

  /** Number of executed functions. */
  readonly functions: number

  /** Number of parts of them that have not run. */
  readonly missedParts: number

  /** Useful inputs: each has executed code that none before it had. */
  readonly corpus: readonly Uint8Array[]
  readonly findings: readonly Finding[]
}

export interface FuzzOptions {
  readonly seed: number

  /** Decides between batches whether to stop. */
  readonly isEnough: (inputs: number, findings: number) => boolean
}

/** Inputs tried before V8 is asked for its counts, which takes longer than they do. */
const BATCH = 64

const MAX_INPUT_BYTES = 4096

/** Milliseconds beyond which an input is a finding, too. */
const MAX_TIME_MS = 1000

/**
 * Tries inputs, and continues from those that executed new code. The same seed gives the same inputs, as long as the
 * code is the same.
 */
export function fuzz(target: Target, options: FuzzOptions): Outcome {
  using coverage = new Coverage(target.isWatched)
  return new Fuzzing(target, coverage, options).run()
}

class Fuzzing {
  readonly #target: Target
  readonly #coverage: Coverage
  readonly #options: FuzzOptions
  readonly #random: Random
  readonly #corpus: Uint8Array[] = []
  readonly #findings = new Map<string, Finding>()
  #inputs = 0

  constructor(target: Target, coverage: Coverage, options: FuzzOptions) {
    this.#target = target
    this.#coverage = coverage
    this.#options = options
    this.#random = seededRandom(options.seed)
  }

  run(): Outcome {
    this.#coverage.take()
    this.#tryAll([new Uint8Array(), ...this.#target.seeds])

    while (!this.#options.isEnough(this.#inputs, this.#findings.size)) {
      this.#tryAll(Array.from({ length: BATCH }, () => this.#next()))
    }

    return {
      inputs: this.#inputs,
      functions: this.#coverage.functions,
      missedParts: this.#coverage.missedParts,
      corpus: this.#corpus,
      findings: [...this.#findings.values()]
    }
  }

  #next(): Uint8Array {
    const { words } = this.#target
    const input = this.#corpus[this.#random(this.#corpus.length)] ?? new Uint8Array()
    return mutated(input, this.#random, { corpus: this.#corpus, words, maxBytes: MAX_INPUT_BYTES })
  }

  /** Halves a batch that has executed new code until the inputs that did so are known. */
  #tryAll(inputs: readonly Uint8Array[]): void {
    for (const input of inputs) {
      this.#try(input)
    }

    const run = this.#coverage.take()

    if (!this.#coverage.isNew(run)) {
      return
    }

    if (inputs.length === 1) {
      this.#coverage.add(run)
      this.#corpus.push(...inputs)
      return
    }

    const half = inputs.length >> 1
    this.#tryAll(inputs.slice(0, half))
    this.#tryAll(inputs.slice(half))
  }

  /**
   * Tries an input. A slow one is tried again, because the process may only have been interrupted.
   */
  #try(input: Uint8Array): void {
    if (this.#timed(input) > MAX_TIME_MS && this.#timed(input) > MAX_TIME_MS) {
      this.#find(input, new Error(`took longer than ${MAX_TIME_MS} ms`))
    }
  }

  #timed(input: Uint8Array): number {
    this.#inputs++
    const startMs = performance.now()

    try {
      this.#target.try(input)
    } catch (error) {
      this.#find(input, error)
    }

    return performance.now() - startMs
  }

  /** Keeps the shortest input for each error. */
  #find(input: Uint8Array, error: unknown): void {
    const what = placeOf(error)
    const known = this.#findings.get(what)

    if (known === undefined || input.length < known.input.length) {
      this.#findings.set(what, { input, error })
    }
  }
}

/** Returns an error's message and origin, the same for inputs with the same fault. */
function placeOf(error: unknown): string {
  const lines = error instanceof Error ? (error.stack?.split('\n') ?? []) : [String(error)]
  return [lines[0], ...lines.filter((line) => line.startsWith('    at ')).slice(0, 1)].join('\n')
}
