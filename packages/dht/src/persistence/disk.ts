/**
 * When a replica acknowledges a write:
 *
 * - `relaxed`: when it holds it in memory. What was written in the last `RELAXED_FLUSH_MS` is lost
 *   when the process is killed.
 * - `written`: when the operating system has it. It survives the end of the process, however it ends.
 * - `synced`: when the disk has it. It survives the end of the machine, too.
 */
export type Durability = 'relaxed' | 'written' | 'synced'

/** What there is to see of what is kept on disk. */
export interface PersistenceStats {
  readonly durability: Durability

  /** Whether what is held gets onto the disk. While it is failing, the node serves from memory and tries again. */
  readonly state: 'ok' | 'failing'

  /** Why it is failing. */
  readonly error?: string | undefined

  /** Records that have changed and are not yet written. */
  readonly pending: number

  /** Records on disk. */
  readonly records: number

  /** Bytes they take, encoded; the files take up to about twice as much. */
  readonly bytes: number

  /** Records read when the node started. */
  readonly restored: number

  /** Records that were on disk when the node started and could not be read, as far as is known. */
  readonly damaged: number

  /** Where the damaged files are, if the database had to be rebuilt from what could be read. */
  readonly damagedFiles?: string | undefined
}

/** A change of what is on disk: what is to be under a name from now on. */
export interface Change {
  readonly name: string

  /** Undefined: nothing. */
  readonly bytes: Uint8Array | undefined
}

/** Changes that are written together. */
export interface Batch {
  readonly changes: readonly Change[]

  /** How many records there are when it is written: a disk that has fewer has lost some. */
  readonly records: number

  /** Whether to wait until the machine may lose power. */
  readonly isSynced: boolean
}

/** What was found wrong while reading. */
export interface Damage {
  /** Records that could not be read, as far as is known. */
  readonly records: number

  /** Where the damaged files have been put, if there are files. */
  readonly files?: string | undefined
}

/** All that the rest knows of the place where bytes outlive the process. One process uses it. */
export interface Disk {
  /**
   * Hands over every record that can be read. When damage shows, it repairs what it can and hands
   * over all of them again.
   */
  read(take: (name: string, bytes: Uint8Array) => void): Promise<Damage | undefined>

  /** Atomic where the engine allows it. Rejects when nothing, or not all of it, was written. */
  write(batch: Batch): Promise<void>

  /** Text that is not a record. */
  note(name: string): Promise<string | undefined>
  setNote(name: string, text: string): Promise<void>

  /** Gives back the room that records took which are replaced or gone. */
  compact(): Promise<void>
  close(): Promise<void>
}
