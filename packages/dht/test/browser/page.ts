// The globals of a page in the browser tests: the packages as an application imports them.
import { DHT } from '@waggle/dht'
import { openIndexedDB } from '@waggle/dht/indexeddb'
import { Key } from 'interface-datastore'

declare global {
  var waggle: { DHT: typeof DHT; openIndexedDB: typeof openIndexedDB; Key: typeof Key }

  /** Globals of a page: its peer, and the values that its watch has shown. */
  var peer: DHT
  var values: unknown[]
}

globalThis.waggle = { DHT, openIndexedDB, Key }
