import type { Batch, Disk } from '../../src/persistence/disk.ts'

/** A disk in memory that fails, and takes its time, as a test wants. */
export class GatedDisk implements Disk {
  /** What is on it. */
  readonly records = new Map<string, Uint8Array>()

  /** All that was to be written, whether or not it was. */
  readonly batches: Batch[] = []

  /** Why writing fails, if it does. */
  failure: Error | undefined

  /** Whether a write that fails gets there all the same. */
  isUnsure = false

  /** What would leave more records than this on it fails. */
  maxRecords: number = Number.POSITIVE_INFINITY

  /** The numbers of records on it that batches got wrong. */
  readonly miscounts: number[] = []
  isClosed = false
  compactions = 0
  readonly #notes = new Map<string, string>()
  #gate: PromiseWithResolvers<void> | undefined

  /** Nothing is written before {@link open}. */
  shut(): void {
    this.#gate ??= Promise.withResolvers()
  }

  open(): void {
    this.#gate?.resolve()
    this.#gate = undefined
  }

  async read(take: (name: string, bytes: Uint8Array) => void): Promise<undefined> {
    for (const [name, bytes] of this.records) {
      take(name, bytes)
    }
  }

  async write(batch: Batch): Promise<void> {
    this.batches.push(batch)
    await this.#gate?.promise

    if (batch.records > this.maxRecords) {
      throw new Error('no space left on device')
    }

    if (this.failure === undefined || this.isUnsure) {
      this.#take(batch)
    }

    if (this.failure !== undefined) {
      throw this.failure
    }
  }

  #take({ changes, records }: Batch): void {
    for (const { name, bytes } of changes) {
      if (bytes === undefined) {
        this.records.delete(name)
      } else {
        this.records.set(name, bytes)
      }
    }

    if (records !== this.records.size) {
      this.miscounts.push(records)
    }
  }

  async note(name: string): Promise<string | undefined> {
    return this.#notes.get(name)
  }

  async setNote(name: string, text: string): Promise<void> {
    this.#notes.set(name, text)
  }

  async compact(): Promise<void> {
    this.compactions++
  }

  async close(): Promise<void> {
    this.isClosed = true
  }
}
