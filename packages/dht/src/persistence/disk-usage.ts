import { COMPACTION_SLACK_BYTES } from '../constants.ts'
import type { Change } from './disk.ts'

/** Counts the records on disk and their sizes without reading the disk. */
export class DiskUsage {
  readonly #sizes = new Map<string, number>()
  #bytes = 0
  #garbageBytes = 0

  /** Records on disk. */
  get records(): number {
    return this.#sizes.size
  }

  /** Returns the number of records after some changes, each of another name. */
  recordsAfter(changes: readonly Change[]): number {
    return changes.reduce(
      (records, { name, bytes }) =>
        records + Number(bytes !== undefined) - Number(this.#sizes.has(name)),
      this.records
    )
  }

  /** Bytes of these records, encoded, with their keys, as the store counts them. */
  get bytes(): number {
    return this.#bytes
  }

  names(): Iterable<string> {
    return this.#sizes.keys()
  }

  has(name: string): boolean {
    return this.#sizes.has(name)
  }

  /** Records the size of a record under a name; undefined: none. */
  set(name: string, bytes: Uint8Array | undefined): void {
    const before = this.#sizes.get(name) ?? 0
    const after = bytes === undefined ? 0 : bytes.length + name.length
    this.#garbageBytes += before
    this.#bytes += after - before

    if (bytes === undefined) {
      this.#sizes.delete(name)
    } else {
      this.#sizes.set(name, after)
    }
  }

  /**
   * Whether replaced and removed records take as many bytes as current ones. Compaction is then cheap compared with
   * the written bytes, and garbage stays bounded.
   */
  get isCompactionWorthwhile(): boolean {
    return this.#garbageBytes > Math.max(this.#bytes, COMPACTION_SLACK_BYTES)
  }

  resetGarbage(): void {
    this.#garbageBytes = 0
  }
}
