import type { Disk } from './disk.ts'

const OWNER_NOTE = 'owner'

/** Milliseconds between two looks. */
export const OWNER_CHECK_MS = 30_000

export interface DiskOwnerInit {
  readonly disk: Pick<Disk, 'note' | 'setNote'>

  /** Called once when another node has begun to use the disk, too. */
  readonly onShared: () => void
}

/**
 * Notices that another node uses the same datastore. Each writes over what the other holds, and
 * nothing locks a datastore as a data directory is locked. So each leaves a note when it starts, and
 * whose note has gone is not alone.
 */
export class DiskOwner {
  readonly #init: DiskOwnerInit
  readonly #id: string = globalThis.crypto.randomUUID()
  #timer: ReturnType<typeof setInterval> | undefined
  #isStopped = false

  constructor(init: DiskOwnerInit) {
    this.#init = init
  }

  /** Leaves the note, and looks at it again and again. A disk that hangs or fails keeps no node from starting. */
  claim(): void {
    this.#init.disk.setNote(OWNER_NOTE, this.#id).then(
      () => this.#watch(),
      () => {
        // The journal tells of a disk that fails.
      }
    )
  }

  stop(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
  }

  #watch(): void {
    if (!this.#isStopped) {
      this.#timer = setInterval(() => void this.#check(), OWNER_CHECK_MS)
      this.#timer.unref?.()
    }
  }

  /** Looks at the note. A disk that fails says nothing. */
  async #check(): Promise<void> {
    const owner = await this.#init.disk.note(OWNER_NOTE).catch(() => this.#id)

    if (owner !== this.#id && !this.#isStopped) {
      this.stop()
      this.#init.onShared()
    }
  }
}
