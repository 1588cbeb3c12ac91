import type { DHTRecord, DHTTime } from '@waggle/record'

/** Persists a store. It receives only the names of records, and decides itself when to read them. */
export interface PersistenceHook {
  /** Called when another record, or none, is stored under the name. */
  noteChange(name: string): void

  /** See {@link RecordStore.whenDurable}. */
  whenDurable(): Promise<void> | undefined
}

/** Is notified when a record is stored and when it has expired. */
export interface StoreObserver {
  onStored(name: string, expirationTime: DHTTime): void
  onExpired(name: string, expirationTime: DHTTime): void
}

/** Is notified of each write that changed the record under a name, with its writer. */
export type WriteListener = (name: string, write: DHTRecord, writer: string) => void
