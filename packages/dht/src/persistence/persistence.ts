import type { ComponentLogger, Logger } from '@libp2p/interface'
import type { Datastore } from 'interface-datastore'
import { DEFAULT_DURABILITY } from '../constants.ts'
import { DataDirError } from '../errors.ts'
import { assertMethod, assertOneOf, assertText, type Check } from '../option-checks.ts'
import type { RecordStore } from '../store/record-store.ts'
import { warn } from '../warn.ts'
import { datastoreDisk } from './datastore-disk.ts'
import type { Disk, Durability, PersistenceStats } from './disk.ts'
import { Journal } from './journal.ts'
import type { PeerMemory } from './peer-memory.ts'
import { peersOn } from './peer-memory.ts'
import { type Restored, restore } from './restore.ts'

/** Where records and known peers outlive the process, and how safe they are there. */
export interface PersistenceOptions {
  /** A directory for a LevelDB database, made if it is missing. One node at a time uses it. */
  dataDir?: string | undefined

  /**
   * A datastore instead, which is neither opened nor closed, and which no other node uses: wrap one
   * that is shared in a `NamespaceDatastore`.
   */
  datastore?: Datastore | undefined

  /**
   * When a write is acknowledged. With a datastore `written` means that it has committed the write;
   * `synced` is for a `dataDir` only.
   *
   * @default DEFAULT_DURABILITY
   */
  durability?: Durability | undefined
}

export interface PersistenceInit extends PersistenceOptions {
  /** What is kept. */
  readonly store: RecordStore
  readonly logger: ComponentLogger

  /** Hears when writing begins to fail, and when it works again. */
  readonly onStateChange?: ((failure: Error | undefined) => void) | undefined
}

/** What the disk is laid out by. To be raised when an older version could not read it. */
const FORMAT = 1
const FORMAT_NOTE = 'format'

/** The disk beside a store, for as long as a node runs. */
export interface Persistence {
  readonly peers: PeerMemory
  stats(): PersistenceStats

  /** Writes what is left, and lets others have the disk. */
  close(): Promise<void>
}

/**
 * Fills the store with what is on disk, and keeps it there from now on. Undefined if nothing says
 * where.
 *
 * @throws DataDirError when the disk can't be used
 */
export async function openPersistence(init: PersistenceInit): Promise<Persistence | undefined> {
  const { dataDir, datastore } = init

  if (datastore !== undefined) {
    return DiskPersistence.open(datastoreDisk(datastore), 'datastore', init)
  }

  if (dataDir !== undefined) {
    const { openDataDir } = await import('./data-dir.ts')
    return DiskPersistence.open(await openDataDir(dataDir), `dataDir: ${dataDir}`, init)
  }
}

class DiskPersistence implements Persistence {
  readonly peers: PeerMemory
  readonly #init: PersistenceInit
  readonly #where: string
  readonly #log: Logger
  readonly #journal: Journal
  #restored: Restored = { restored: 0, damaged: 0, damagedFiles: undefined }

  private constructor(disk: Disk, where: string, init: PersistenceInit) {
    this.#init = init
    this.#where = where
    this.#log = init.logger.forComponent('waggle:persistence')
    this.peers = peersOn(disk)
    this.#journal = new Journal({
      disk,
      store: init.store,
      durability: init.durability ?? DEFAULT_DURABILITY,
      log: this.#log,
      onStateChange: (failure) => this.#tell(failure)
    })
  }

  static async open(disk: Disk, where: string, init: PersistenceInit): Promise<Persistence> {
    const persistence = new DiskPersistence(disk, where, init)

    try {
      await assertFormat(disk, where)
      await persistence.#restore(disk)
    } catch (error) {
      await persistence.#journal.close()
      throw error
    }

    init.store.keepBy(persistence.#journal)
    return persistence
  }

  stats(): PersistenceStats {
    const { failure, pending, records, bytes } = this.#journal
    return {
      durability: this.#init.durability ?? DEFAULT_DURABILITY,
      state: failure === undefined ? 'ok' : 'failing',
      error: failure?.message,
      pending,
      records,
      bytes,
      ...this.#restored
    }
  }

  async close(): Promise<void> {
    const lost = await this.#journal.close()
    this.#init.store.keepBy(undefined)

    if (lost > 0) {
      const reason = this.#journal.failure?.message
      warn(
        `${this.#where}: ${lost} changes could not be written before the end: ${reason}`,
        this.#log
      )
    }
  }

  async #restore(disk: Disk): Promise<void> {
    this.#restored = await restore(disk, this.#init.store, this.#journal)

    if ((await disk.note(FORMAT_NOTE)) === undefined) {
      await disk.setNote(FORMAT_NOTE, String(FORMAT))
    }

    const { restored, damaged, damagedFiles } = this.#restored
    this.#log('%s: %d records restored', this.#where, restored)

    if (damaged > 0 || damagedFiles !== undefined) {
      const files =
        damagedFiles === undefined
          ? ''
          : ` The damaged files are in ${damagedFiles}, which may be deleted.`
      warn(
        `${this.#where}: damaged: ${damaged} records could not be read, ${restored} are kept. Other replicas give back what they hold of the rest.${files}`,
        this.#log
      )
    }
  }

  #tell(failure: Error | undefined): void {
    this.#init.onStateChange?.(failure)

    if (failure === undefined) {
      this.#log('%s: writing works again', this.#where)
    } else {
      warn(
        `${this.#where}: can't write: ${failure.message}. Records are served from memory, and writing is tried again.`,
        this.#log
      )
    }
  }
}

async function assertFormat(disk: Disk, where: string): Promise<void> {
  const format = await disk.note(FORMAT_NOTE)

  if (format !== undefined && Number(format) > FORMAT) {
    throw new DataDirError(
      `${where}: a newer version of @waggle/dht wrote this, in format ${format}; this one reads up to ${FORMAT}. Install the newer version, or name another place.`
    )
  }
}

/** Checks of the options of a place where records outlive the process. */
export const PERSISTENCE_CHECKS: Readonly<Record<keyof PersistenceOptions, Check>> = {
  dataDir: assertText,
  datastore: assertMethod('batch', 'an interface-datastore'),
  durability: assertOneOf('relaxed', 'written', 'synced')
}

/**
 * Takes out where records are to be kept.
 *
 * @throws TypeError for options that are wrong or do not go together
 */
export function persistenceOptions(options: PersistenceOptions): PersistenceOptions {
  const { dataDir, datastore, durability } = options

  for (const option of ['dataDir', 'datastore', 'durability'] as const) {
    if (options[option] !== undefined) {
      PERSISTENCE_CHECKS[option](options[option], option)
    }
  }

  if (dataDir !== undefined && datastore !== undefined) {
    throw new TypeError('give either dataDir or datastore, not both')
  }

  if (durability !== undefined && dataDir === undefined && datastore === undefined) {
    throw new TypeError('durability needs a dataDir or a datastore: in memory nothing is durable')
  }

  if (durability === 'synced' && datastore !== undefined) {
    throw new TypeError("durability 'synced' needs a dataDir: a datastore can't be told to sync")
  }

  return { dataDir, datastore, durability }
}
