import { COMPACTION_SLACK_BYTES } from '../constants.ts'
import type { Change } from './disk.ts'

/** Which records are on disk and how large they are, without looking there. */
export class DiskUsage {
  readonly #sizes = new Map<string, number>()
  #bytes = 0
  #garbageBytes = 0

  /** How many records there are. */
  get records(): number {
    return this.#sizes.size
  }

  /** How many there will be when changes, each of another name, have been made. */
  recordsAfter(changes: readonly Change[]): number {
    return changes.reduce(
      (records, { name, bytes }) =>
        records + Number(bytes !== undefined) - Number(this.#sizes.has(name)),
      this.records
    )
  }

  /** How many bytes they take, encoded, with their keys: as the store counts. */
  get bytes(): number {
    return this.#bytes
  }

  names(): Iterable<string> {
    return this.#sizes.keys()
  }

  has(name: string): boolean {
    return this.#sizes.has(name)
  }

  /** Takes note of what is under a name now; undefined: nothing. */
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
   * Whether what is replaced or gone takes as much room as what is in use: to give it back then
   * costs little for what was written, and it never takes much.
   */
  get isCompactionWorthwhile(): boolean {
    return this.#garbageBytes > Math.max(this.#bytes, COMPACTION_SLACK_BYTES)
  }

  compacted(): void {
    this.#garbageBytes = 0
  }
}
