import type { DHTRecord, DHTTime } from '@waggle/record'

/**
 * Makes a store outlive the process. It is told the names of records only, and decides itself when
 * to read them.
 */
export interface PersistenceHook {
  /** Called when another record, or none, is stored under the name. */
  noteChange(name: string): void

  /** See {@link RecordStore.whenDurable}. */
  whenDurable(): Promise<void> | undefined
}

/** Is told of each record when it is stored and when it has expired. */
export interface StoreObserver {
  onStored(name: string, expirationTime: DHTTime): void
  onExpired(name: string, expirationTime: DHTTime): void
}

/** Is told of each write that has changed the record under a name, and by whom. */
export type WriteListener = (name: string, write: DHTRecord, writer: string) => void
