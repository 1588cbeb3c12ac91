import { randomUUID } from 'node:crypto'
import type { DHT, Found } from '@waggle/dht'
import type { DistantNetwork } from './distant-network.ts'
import { valueUnder } from './value-under.ts'

export type OperationName =
  | 'get'
  | 'get latest'
  | 'get, nothing there'
  | 'store'
  | 'getMany'
  | 'storeMany'

/** Something to do with a few keys, each of which is used once. */
export interface DistantOperation {
  readonly name: OperationName
  readonly keys: number

  /** Whether there is to be something under the keys already. */
  readonly isOnStored: boolean

  /** Whether everything was answered as it should be. */
  run(node: DHT, keys: readonly string[]): Promise<boolean>
}

/** Longer than any run. */
const TTL = 3600

/** A store, a get and their like, with so many keys in the large ones. */
export function distantOperations(manyKeys: number): DistantOperation[] {
  return [
    getting('get', {}),
    getting('get latest', { latest: true }),
    {
      name: 'get, nothing there',
      keys: 1,
      isOnStored: false,
      run: async (node, [key = '']) => (await node.get(key)) === undefined
    },
    {
      name: 'store',
      keys: 1,
      isOnStored: false,
      run: (node, [key = '']) => node.store(key, valueUnder(key), { ttl: TTL })
    },
    {
      name: 'getMany',
      keys: manyKeys,
      isOnStored: true,
      run: async (node, keys) => areRight(keys, await node.getMany(keys))
    },
    {
      name: 'storeMany',
      keys: manyKeys,
      isOnStored: false,
      run: async (node, keys) => {
        const entries = keys.map((key) => ({ key, value: valueUnder(key), ttl: TTL }))
        return (await node.storeMany(entries)).every(Boolean)
      }
    }
  ]
}

function getting(name: 'get' | 'get latest', options: { latest?: boolean }): DistantOperation {
  return {
    name,
    keys: 1,
    isOnStored: true,
    run: async (node, keys) => areRight(keys, [await node.get(keys[0] ?? '', options)])
  }
}

/** Keys nobody has used, with values under them where they are wanted. */
export async function freshKeys(
  count: number,
  network: DistantNetwork,
  { isOnStored }: { isOnStored: boolean }
): Promise<string[]> {
  const keys = Array.from({ length: count }, () => randomUUID())

  if (isOnStored) {
    await network.storeAll(keys, TTL)
  }

  return keys
}

function areRight(keys: readonly string[], found: readonly (Found | undefined)[]): boolean {
  return keys.every((key, i) => found[i]?.value === valueUnder(key))
}
