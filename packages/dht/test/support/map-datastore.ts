import { NotFoundError } from '@libp2p/interface'
import { type Datastore, Key, type Pair, type Query } from 'interface-datastore'

/** Makes a datastore on a Map, with the methods that kad-dht uses. */
export function mapDatastore(): Datastore {
  return new MapDatastore() as Partial<Datastore> as Datastore
}

class MapDatastore implements Pick<Datastore, 'put' | 'get' | 'has' | 'delete' | 'query'> {
  readonly #values = new Map<string, Uint8Array>()

  async put(key: Key, value: Uint8Array): Promise<Key> {
    this.#values.set(key.toString(), value)
    return key
  }

  async get(key: Key): Promise<Uint8Array> {
    const value = this.#values.get(key.toString())

    if (value === undefined) {
      throw new NotFoundError()
    }

    return value
  }

  async has(key: Key): Promise<boolean> {
    return this.#values.has(key.toString())
  }

  async delete(key: Key): Promise<void> {
    this.#values.delete(key.toString())
  }

  async *query({ prefix = '' }: Query): AsyncGenerator<Pair> {
    for (const [name, value] of this.#values) {
      if (name.startsWith(prefix)) {
        yield { key: new Key(name), value }
      }
    }
  }
}
