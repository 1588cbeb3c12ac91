/**
 * The time at which a replica acknowledges a write:
 *
 * - `relaxed`: when it is in memory. Writes of the last `RELAXED_FLUSH_MS` are lost when the process
 *   is killed.
 * - `written`: when the operating system has it. It survives any end of the process.
 * - `synced`: when the disk has it. It survives the end of the machine, too.
 */
export type Durability = 'relaxed' | 'written' | 'synced'

/** Figures of the disk. */
export interface PersistenceStats {
  readonly durability: Durability

  /** State of the disk. While it fails, the node serves from memory and retries. */
  readonly state: 'ok' | 'failing'

  /** Reason of the failure. */
  readonly error?: string | undefined

  /** Changed records that are not written yet. */
  readonly pending: number

  /** Records on disk. */
  readonly records: number

  /** Bytes they take, encoded; the files take up to about twice as much. */
  readonly bytes: number

  /** Records read when the node started. */
  readonly restored: number

  /** Records on disk that could not be read when the node started, as far as is known. */
  readonly damaged: number

  /** Path of the damaged files, if the database had to be rebuilt. */
  readonly damagedFiles?: string | undefined
}

/** A change of the disk: the new record under a name. */
export interface Change {
  readonly name: string

  /** The encoded record. Undefined: none. */
  readonly bytes: Uint8Array | undefined
}

/** Changes that are written together. */
export interface Batch {
  readonly changes: readonly Change[]

  /** Records on disk after it. A disk with fewer has lost some. */
  readonly records: number

  /** Whether to wait until the batch survives a power failure. */
  readonly isSynced: boolean
}

/** Damage found while reading. */
export interface Damage {
  /** Records that could not be read, as far as is known. */
  readonly records: number

  /** New path of the damaged files, if there are files. */
  readonly files?: string | undefined
}

/** Storage that outlives the process. One process uses it. */
export interface Disk {
  /** Passes every readable record to `take`. After damage, repairs the rest and passes all of them again. */
  read(take: (name: string, bytes: Uint8Array) => void): Promise<Damage | undefined>

  /** Writes a batch, atomically where the engine allows it. Rejects unless all of it was written. */
  write(batch: Batch): Promise<void>

  /** Reads a text that is not a record. */
  note(name: string): Promise<string | undefined>
  setNote(name: string, text: string): Promise<void>

  /** Frees the bytes of replaced and removed records. */
  compact(): Promise<void>
  close(): Promise<void>
}
