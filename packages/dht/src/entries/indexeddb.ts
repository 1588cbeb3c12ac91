/**
 * @packageDocumentation
 *
 * Keeps the records and the identity of a page across reloads.
 */

export {
  type IndexedDBOptions,
  type IndexedDBStorage,
  openIndexedDB,
  StorageInUseError
} from '../persistence/indexeddb-storage.ts'
