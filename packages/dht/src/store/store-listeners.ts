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

/** A write's changes under a key. */
export interface KeyChange {
  /** The entries that were missing, or beat others. */
  readonly added: DHTRecord

  /** The record that they were added to. */
  readonly before: DHTRecord
}

/** A write that has changed a record, and the name of the peer that sent it. */
export interface StoredWrite extends KeyChange {
  readonly writer: string
}

/** Called with each write that has changed the record under a name. */
export type WriteListener = (name: string, write: StoredWrite) => void
