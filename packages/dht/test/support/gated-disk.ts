import type { Batch, Disk } from '../../src/persistence/disk.ts'

/** A disk in memory that fails, and delays writes, as a test wants. */
export class GatedDisk implements Disk {
  /** The records on the disk. */
  readonly records = new Map<string, Uint8Array>()

  /** All batches, whether they were written or not. */
  readonly batches: Batch[] = []

  /** The error of further writes; undefined: they succeed. */
  failure: Error | undefined

  /** Whether a failing write takes effect all the same. */
  isUnsure = false

  /** Records that fit. Larger batches fail. */
  maxRecords: number = Number.POSITIVE_INFINITY

  /** Wrong numbers of records that batches have claimed. */
  readonly miscounts: number[] = []
  isClosed = false
  compactions = 0
  readonly #notes = new Map<string, string>()
  #gate: PromiseWithResolvers<void> | undefined

  /** Holds all writes until {@link open}. */
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
