import { type Datastore, Key } from 'interface-datastore'
import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'
import type { Batch, Damage, Disk } from './interface.ts'

const RECORDS = '/waggle/record/'
const NOTES = '/waggle/note/'

/**
 * A datastore of the caller, which is neither opened nor closed here. How safe a batch is when it
 * has been committed, and what becomes of damage, is the datastore's affair.
 */
export function datastoreDisk(datastore: Datastore): Disk {
  return new DatastoreDisk(datastore)
}

class DatastoreDisk implements Disk {
  readonly #datastore: Datastore

  constructor(datastore: Datastore) {
    this.#datastore = datastore
  }

  async read(take: (name: string, bytes: Uint8Array) => void): Promise<Damage | undefined> {
    let records = 0

    for await (const { key, value } of this.#datastore.query({ prefix: RECORDS })) {
      const name = nameIn(key)

      if (name === undefined) {
        records++
      } else {
        take(name, value)
      }
    }

    return records === 0 ? undefined : { records }
  }

  async write({ changes }: Batch): Promise<void> {
    const batch = this.#datastore.batch()

    for (const { name, bytes } of changes) {
      if (bytes === undefined) {
        batch.delete(keyOf(name))
      } else {
        batch.put(keyOf(name), bytes)
      }
    }

    await batch.commit()
  }

  async note(name: string): Promise<string | undefined> {
    const key = new Key(`${NOTES}${name}`)
    return (await this.#datastore.has(key)) ? stringOf(await this.#datastore.get(key)) : undefined
  }

  async setNote(name: string, text: string): Promise<void> {
    await this.#datastore.put(new Key(`${NOTES}${name}`), fromString(text))
  }

  async compact(): Promise<void> {}

  async close(): Promise<void> {}
}

/** Datastore keys are paths of text, and record keys any bytes. */
function keyOf(name: string): Key {
  return new Key(`${RECORDS}${stringOf(fromString(name, 'latin1'), 'base32')}`)
}

function nameIn(key: Key): string | undefined {
  try {
    return stringOf(fromString(key.baseNamespace(), 'base32'), 'latin1')
  } catch {
    return undefined
  }
}
