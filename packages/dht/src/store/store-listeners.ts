import type { DHTRecord, DHTTime } from '@waggle/record'

/**
 * Keeps what a store holds beyond the life of the process. It is told the names of records only, so
 * that it decides itself when to look at what is held under them.
 */
export interface PersistenceHook {
  /** Something else is held under the name now, or nothing. */
  changed(name: string): void

  /** See {@link RecordStore.whenDurable}. */
  whenDurable(): Promise<void> | undefined
}

/** Is told of each record as it is stored, and as it expires. */
export interface StoreObserver {
  stored(name: string, expirationTime: DHTTime): void
  expired(name: string, expirationTime: DHTTime): void
}

/** Hears of each write that has changed what is held under a name. */
export type WriteListener = (name: string, write: DHTRecord) => void
