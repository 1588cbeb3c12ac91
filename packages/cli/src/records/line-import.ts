import type { DHT } from '@waggle/dht'
import { getDHTTime } from '@waggle/record'
import { batches } from './batches.ts'
import { type ImportedEntry, LineError, parseEntryLine } from './entry-line.ts'
import { storeBatch } from './store-batch.ts'
import type { TextLines } from './text-lines.ts'

/** Counts of the lines by outcome. */
export type Tally = {
  [K in 'stored' | 'refused' | 'failed' | 'expired' | 'signed' | 'wrong']: number
}

export interface LineImportInit {
  readonly dht: DHT
  readonly lines: TextLines
  readonly signal: AbortSignal

  /** Called with the number of entries tried so far. */
  readonly onProgress: (count: number) => void

  /** Called with each invalid line. Undefined: the import stops at the first. */
  readonly onWrong: ((error: LineError) => void) | undefined
}

/** An entry with the number and the length of its line; the length estimates its memory. */
interface Line {
  readonly entry: ImportedEntry
  readonly lineNumber: number
  readonly bytes: number
}

/** Names of errors about an entry rather than the network. */
const ABOUT_ENTRIES: readonly string[] = [
  'TypeError',
  'InvalidKeyError',
  'InvalidExpirationError',
  'RecordTooLargeError',
  'ValidationError'
]

/** Stores the entries of many lines. */
export class LineImport {
  readonly tally: Tally = { stored: 0, refused: 0, failed: 0, expired: 0, signed: 0, wrong: 0 }
  readonly #init: LineImportInit
  #stoppedBy: LineError | undefined

  constructor(init: LineImportInit) {
    this.#init = init
  }

  /** Stores all entries, or those before the first invalid line and then rejects with its error. */
  async run(): Promise<void> {
    for await (const batch of batches(this.#entries(), ({ bytes }) => bytes)) {
      if (!(await this.#store(batch))) {
        break
      }

      const { stored, refused, failed } = this.tally
      this.#init.onProgress(stored + refused + failed)
    }

    if (this.#stoppedBy !== undefined) {
      throw this.#stoppedBy
    }
  }

  /** Reads entries until a line stops the import. */
  async *#entries(): AsyncGenerator<Line> {
    const { lines } = this.#init

    for await (const text of lines) {
      const { lineNumber } = lines
      const entry = this.#parsed(text, lineNumber)

      if (this.#stoppedBy !== undefined) {
        return
      }

      if (entry !== undefined) {
        yield { entry, lineNumber, bytes: text?.length ?? 0 }
      }
    }
  }

  /** Parses a line; undefined for an entry that is not to be stored. */
  #parsed(text: string | undefined, lineNumber: number): ImportedEntry | undefined {
    try {
      const entry = parseEntryLine(text, lineNumber)
      const isExpired = entry.expirationTime <= getDHTTime()
      this.tally.signed += Number(entry.isSigned)
      this.tally.expired += Number(!entry.isSigned && isExpired)
      return entry.isSigned || isExpired ? undefined : entry
    } catch (error) {
      this.#onWrong(error)
    }
  }

  /**
   * Stores a batch. An invalid entry fails the whole batch, so bisects it until the entry is alone. Returns whether
   * to continue.
   */
  async #store(batch: readonly Line[]): Promise<boolean> {
    try {
      await this.#storeAll(batch)
      return true
    } catch (error) {
      if (!(error instanceof Error) || !ABOUT_ENTRIES.includes(error.name)) {
        throw error
      }

      const [first] = batch

      if (batch.length === 1 && first !== undefined) {
        this.#onWrong(new LineError(first.lineNumber, error.message.replace(/^entry 0: /, '')))
        return this.#init.onWrong !== undefined
      }

      const half = Math.ceil(batch.length / 2)
      return (await this.#store(batch.slice(0, half))) && this.#store(batch.slice(half))
    }
  }

  async #storeAll(batch: readonly Line[]): Promise<void> {
    const { dht, signal } = this.#init
    const entries = batch.map(({ entry }) => entry)
    const { stored, refused, failed } = await storeBatch(dht, entries, signal)
    this.tally.stored += stored
    this.tally.refused += refused
    this.tally.failed += failed
  }

  #onWrong(error: unknown): void {
    if (!(error instanceof LineError)) {
      throw error
    }

    this.tally.wrong++

    if (this.#init.onWrong === undefined) {
      this.#stoppedBy = error
    } else {
      this.#init.onWrong(error)
    }
  }
}
