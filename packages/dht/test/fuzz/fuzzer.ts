import { Coverage } from './coverage.ts'
import { mutated } from './mutation.ts'
import { type Random, seededRandom } from './random.ts'

/** Something that takes bytes from strangers. */
export interface Target {
  readonly name: string

  /** Which scripts' code is to be covered. */
  readonly isWatched: (url: string) => boolean

  /** Inputs to begin with. */
  readonly seeds: readonly Uint8Array[]

  /** Pieces that mean something. */
  readonly words: readonly Uint8Array[]

  /** Whether one input takes about a millisecond. */
  readonly isSlow?: true

  /** Throws when the input does what none may do. */
  try(input: Uint8Array): void
}

/** An input that does what none may do. */
export interface Finding {
  readonly input: Uint8Array
  readonly error: unknown
}

export interface Outcome {
  readonly inputs: number

  /** Functions that have run. */
  readonly functions: number

  /** Parts of these that have not. */
  readonly missedParts: number

  /** Inputs that were of use: each ran code that none before it had. */
  readonly corpus: readonly Uint8Array[]
  readonly findings: readonly Finding[]
}

export interface FuzzOptions {
  readonly seed: number

  /** Asked between batches. */
  readonly isEnough: (inputs: number, findings: number) => boolean
}

/** So many inputs are tried before V8 is asked what has run: asking takes longer than they do. */
const BATCH = 64

const MAX_INPUT_BYTES = 4096

/** An input that takes longer than this is a finding, too. */
const MAX_TIME_MS = 1000

/**
 * Tries inputs, and goes on from those that made code run which had not run before. The same seed
 * gives the same inputs, as long as the code is the same.
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

  /** Halves what has run something new until it is known which inputs it was. */
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

  /** What takes long is tried again: the process may only have been kept waiting. */
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

  /** The shortest input for each error. */
  #find(input: Uint8Array, error: unknown): void {
    const what = placeOf(error)
    const known = this.#findings.get(what)

    if (known === undefined || input.length < known.input.length) {
      this.#findings.set(what, { input, error })
    }
  }
}

/** What is thrown, and where: the same for inputs that find the same. */
function placeOf(error: unknown): string {
  const lines = error instanceof Error ? (error.stack?.split('\n') ?? []) : [String(error)]
  return [lines[0], ...lines.filter((line) => line.startsWith('    at ')).slice(0, 1)].join('\n')
}
