import { encodedSize, lastExpiration } from '@waggle/record/replica'
import { MANY_BYTES_UNDER_WAY, MANY_UNDER_WAY } from '../constants.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { mapMany } from '../timing/many.ts'
import { assertEntry } from './call-arguments.ts'
import type { StoreEntry, StoreManyOptions } from './call-options.ts'
import { countOf, inEntry, lifetimeOf, mapLazily, raise } from './entries.ts'
import { type BriefResult, settled, storedOf, storedOrFailure } from './many-results.ts'
import type { Report, Result, StoreReport } from './store-report.ts'
import type { Writer, Written } from './writer.ts'
import { storeWrite, type Write } from './writes.ts'

export interface ManyWriterInit {
  readonly entries: Iterable<StoreEntry>
  readonly options: StoreManyOptions & Report<boolean>
  readonly writer: Writer

  /** Whether a validator of this node may refuse a write. */
  readonly hasValidators: boolean

  /** Sends one write. */
  readonly send: (write: Write, cancellation: CancellationToken) => Promise<Written>
}

/** Stores many entries. One that no replica takes fails no other. */
export class ManyWriter {
  readonly #init: ManyWriterInit
  readonly #results: BriefResult[] = []
  readonly #toWrite: (entry: StoreEntry, index: number) => Write

  /** @throws TypeError for a wrong entry of an array. Other iterables can be read only once. */
  constructor(init: ManyWriterInit) {
    const { entries, options, writer } = init
    const rules = writer.rules(options.privateKey)
    this.#init = init
    this.#toWrite = (entry, index) =>
      inEntry(index, () => {
        assertEntry(entry)
        const timed = { ...entry, ...lifetimeOf(entry, options) } as StoreEntry
        // Time rises from entry to entry: the later of two in one place wins.
        return storeWrite(timed, { ...rules, now: writer.rules().now })
      })

    if (Array.isArray(entries)) {
      entries.forEach(this.#toWrite)
    }
  }

  /** Returns the results available at a timeout. */
  resultsSoFar(reason: Error): PromiseSettledResult<boolean>[] {
    const { entries } = this.#init
    const count = countOf(entries, this.#results)
    return settled(this.#results.map(storedOrFailure), { count, reason })
  }

  /** Stores all. */
  async run(cancellation: CancellationToken): Promise<readonly BriefResult[]> {
    const { entries, hasValidators, options, send } = this.#init
    const writes = mapLazily(entries, this.#toWrite)
    const hasToPrepare = Array.isArray(entries) && hasValidators

    await mapMany(
      hasToPrepare ? await this.#prepareAll(writes) : writes,
      async (write, index) => {
        const written = await send(write, cancellation)
        const isBrief = written.outcome === 'held' && options.report !== true
        this.#results[index] = isBrief ? lastExpiration(write.record) : written
      },
      {
        cancellation,
        maxItems: MANY_UNDER_WAY,
        maxBytes: MANY_BYTES_UNDER_WAY,
        bytesOf: ({ record }) => encodedSize(record)
      }
    )
    return this.#results
  }

  /** Returns the answer to the caller. @throws NotStoredError, unless reports are wanted */
  async answers<R extends boolean>(): Promise<Result<R>[]> {
    const { options, writer } = this.#init
    const reportOf = (written: Written): Promise<StoreReport> => writer.reportOf(written)
    const answers =
      options.report === true
        ? Promise.all((this.#results as Written[]).map(reportOf))
        : storedOf(this.#results, reportOf)
    return (await answers) as Result<R>[]
  }

  /** Prepares all writes before any is stored, so that one refused write fails the whole call. */
  async #prepareAll(writes: Iterable<Write>): Promise<Write[]> {
    const prepared: Write[] = []

    for (const write of writes) {
      const preparing = this.#init.writer.prepare(write)
      prepared.push(await preparing.catch((error) => inEntry(prepared.length, () => raise(error))))
    }

    return prepared
  }
}
