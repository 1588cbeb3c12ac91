import type * as files from './files.ts'

function refuse(): never {
  throw new TypeError(
    'dataDir and identityPath: a browser has no files: keep records and the identity with openIndexedDB() from @waggle/dht/indexeddb'
  )
}

export const identityAt: typeof files.identityAt = refuse
export const identityIn: typeof files.identityIn = refuse
export const openDataDir: typeof files.openDataDir = refuse
export const prepareDataDir: typeof files.prepareDataDir = refuse
