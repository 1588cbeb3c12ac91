import { every } from '../timing/every.ts'
import type { Disk } from './disk.ts'

const OWNER_NOTE = 'owner'

/** Milliseconds between two checks. */
export const OWNER_CHECK_MS = 30_000

export interface DiskOwnerInit {
  readonly disk: Pick<Disk, 'note' | 'setNote'>

  /** Called once when another node has begun to use the same disk. */
  readonly onShared: () => void
}

/**
 * Detects that another node uses the same datastore. The nodes would overwrite each other's records, and a
 * datastore has no lock, unlike a data directory. So each node writes a note at its start, and a changed note
 * reveals another node.
 */
export class DiskOwner {
  readonly #init: DiskOwnerInit
  readonly #id: string = globalThis.crypto.randomUUID()
  readonly #stopping = new AbortController()

  constructor(init: DiskOwnerInit) {
    this.#init = init
  }

  /** Writes the note and checks it at intervals. A disk that hangs or fails does not prevent the start. */
  claim(): void {
    this.#init.disk.setNote(OWNER_NOTE, this.#id).then(
      () => this.#watch(),
      () => {
        // The journal reports disk failures.
      }
    )
  }

  stop(): void {
    this.#stopping.abort()
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  #watch(): void {
    if (!this.#isStopped) {
      every(OWNER_CHECK_MS, () => void this.#check(), this.#stopping.signal)
    }
  }

  /** Checks the note. Ignores a failing disk. */
  async #check(): Promise<void> {
    const owner = await this.#init.disk.note(OWNER_NOTE).catch(() => this.#id)

    if (owner !== this.#id && !this.#isStopped) {
      this.stop()
      this.#init.onShared()
    }
  }
}
