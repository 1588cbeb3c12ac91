import { NotFoundError } from '@libp2p/interface'
import { Libp2pRecord } from '@libp2p/record'
import { InvalidKeyError, isEmpty, type Rejection, ValidationError } from '@waggle/record'
import { isRecordKey } from '@waggle/record/replica'
import type { Datastore, Key } from 'interface-datastore'
import { fromString } from 'uint8arrays/from-string'
import { overriding } from '../door/overriding.ts'
import type { RecordStore } from '../store/record-store.ts'
import { BY_KAD_DHT } from '../store/stored-record.ts'

/**
 * Creates a datastore for kad-dht that merges (N2). kad-dht overwrites its record with the last one received. Here
 * each write of a Waggle record is merged into the record store, and throws if a stored entry beats it, which
 * informs the sender. Entries of other namespaces go to the node's own datastore.
 */
export function mergingDatastore(
  datastore: Datastore,
  store: RecordStore,
  datastorePrefix: string
): Datastore {
  const records = new KadRecords(store, `${datastorePrefix}/record/`)
  return overriding<Datastore>(datastore, {
    put: (key, value, options) => records.put(key, value) ?? datastore.put(key, value, options),
    get: (key, options) => records.get(key) ?? datastore.get(key, options),
    has: (key, options) => records.has(key) ?? datastore.has(key, options),
    delete: (key, options) => records.delete(key) ?? datastore.delete(key, options)
  })
}

/** kad-dht's calls about single records. Each returns undefined for a record that is not Waggle's. */
class KadRecords {
  readonly #store: RecordStore
  readonly #prefix: string

  constructor(store: RecordStore, prefix: string) {
    this.#store = store
    this.#prefix = prefix
  }

  put(key: Key, value: Uint8Array): Promise<Key> | undefined {
    return this.#onRecord(key, async (recordKey) => {
      const bytes = Libp2pRecord.deserialize(value).value
      const { record, refusals } = await this.#store.checks.receive(recordKey, bytes, BY_KAD_DHT)

      if (isEmpty(record)) {
        throw new ValidationError(`the record is not stored: refused by ${refusals.join(', ')}`)
      }

      const applied = this.#store.apply(recordKey, record, BY_KAD_DHT)

      if (!applied.isAccepted) {
        throw new ValidationError(`the record is not stored: ${REASONS[applied.reason]}`)
      }

      await this.#store.whenDurable()
      return key
    })
  }

  get(key: Key): Promise<Uint8Array> | undefined {
    return this.#onRecord(key, (recordKey) => {
      const bytes = this.#store.encoded(recordKey)

      if (bytes === undefined) {
        throw new NotFoundError('nothing live is stored under this key')
      }

      // A current time, because kad-dht deletes records that it received 48 hours ago. Waggle's records contain
      // their own expirations.
      return new Libp2pRecord(recordKey, bytes, new Date()).serialize()
    })
  }

  has(key: Key): Promise<boolean> | undefined {
    return this.#onRecord(key, (recordKey) => this.#store.encoded(recordKey) !== undefined)
  }

  /** Ignores deletion: kad-dht deletes only records that it considers outdated, and these are not. */
  delete(key: Key): Promise<void> | undefined {
    return this.#onRecord(key, () => undefined)
  }

  #onRecord<T>(key: Key, use: (recordKey: Uint8Array) => T | Promise<T>): Promise<T> | undefined {
    const recordKey = this.#recordKey(key)
    return recordKey === undefined ? undefined : Promise.resolve(recordKey).then(use)
  }

  #recordKey(key: Key): Uint8Array | undefined {
    const name = key.toString()

    if (!name.startsWith(this.#prefix)) {
      return undefined
    }

    try {
      const bytes = fromString(name.slice(this.#prefix.length), 'base32')
      return isRecordKey(bytes) ? bytes : undefined
    } catch (cause) {
      throw new InvalidKeyError(`${name} does not end with a key in base32`, { cause })
    }
  }
}

const REASONS: Readonly<Record<Rejection, string>> = {
  expired: 'it has expired',
  stale: 'a later one is stored',
  full: 'the store is full'
}
