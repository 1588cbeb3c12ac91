import type { ComponentLogger, Logger } from '@libp2p/interface'
import { DEFAULT_DURABILITY } from '../constants.ts'
import { DataDirError } from '../errors.ts'
import type { RecordStore } from '../store/record-store.ts'
import { warn } from '../warn.ts'
import { datastoreDisk } from './datastore-disk.ts'
import type { Disk, PersistenceStats } from './disk.ts'
import { DiskOwner } from './disk-owner.ts'
import { Journal } from './journal.ts'
import type { PeerMemory } from './peer-memory.ts'
import { peersOn } from './peer-memory.ts'
import type { PersistenceOptions } from './persistence-options.ts'
import { type Restored, restore } from './restore.ts'

export interface PersistenceInit extends PersistenceOptions {
  /** The store to persist. */
  readonly store: RecordStore
  readonly logger: ComponentLogger

  /** Called when writing starts to fail, and when it works again. */
  readonly onStateChange?: ((failure: Error | undefined) => void) | undefined

  /** Called when another node uses the same datastore. */
  readonly onShared?: (() => void) | undefined
}

/** Version of the layout on disk. Raise it when older versions can't read a new layout. */
const FORMAT = 1
const FORMAT_NOTE = 'format'

/** Persists a store while a node runs. */
export interface Persistence {
  readonly peers: PeerMemory
  stats(): PersistenceStats

  /** Writes the remaining changes and releases the disk. */
  close(): Promise<void>
}

/**
 * Restores the store from disk, and persists it from now on. Undefined without a directory and a datastore.
 *
 * @throws DataDirError when the disk can't be used
 */
export async function openPersistence(init: PersistenceInit): Promise<Persistence | undefined> {
  const { dataDir, datastore } = init

  if (datastore !== undefined) {
    return DiskPersistence.open(datastoreDisk(datastore), 'datastore', init)
  }

  if (dataDir !== undefined) {
    const { openDataDir } = await import('#files')
    return DiskPersistence.open(await openDataDir(dataDir), `dataDir: ${dataDir}`, init)
  }
}

class DiskPersistence implements Persistence {
  readonly peers: PeerMemory
  readonly #init: PersistenceInit
  readonly #where: string
  readonly #log: Logger
  readonly #journal: Journal
  readonly #owner: DiskOwner
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
      onStateChange: (failure) => this.#onStateChange(failure)
    })
    this.#owner = new DiskOwner({ disk, onShared: () => this.#onShared() })
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

    if (init.datastore !== undefined) {
      persistence.#owner.claim()
    }

    init.store.persistWith(persistence.#journal)
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
    this.#owner.stop()
    const lost = await this.#journal.close()
    this.#init.store.persistWith(undefined)

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

  #onShared(): void {
    this.#init.onShared?.()
    warn(
      `${this.#where}: another node uses the same datastore, and each overwrites what the other holds. Give each node a datastore, and an identity, of its own.`,
      this.#log
    )
  }

  #onStateChange(failure: Error | undefined): void {
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
