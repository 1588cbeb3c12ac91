import { randomUUID } from 'node:crypto'
import type { DHT, Found } from '@waggle/dht'

/** An operation on some keys, each of which is used once. */
export interface Operation {
  readonly name: string
  readonly keys: number

  /** Needs values under its keys. */
  readonly isOnStored: boolean

  /** Resolves with whether every answer was right. */
  run(node: DHT, keys: readonly string[]): Promise<boolean>
}

/** Times of several runs of one operation, and the number of right ones. */
export interface Timing {
  readonly operation: string
  readonly keys: number
  readonly timesMs: readonly number[]
  readonly right: number
}

/** Seconds that values live: longer than any run. */
export const TTL = 3600

export function valueUnder(key: string): string {
  return `the value of ${key}`
}

/** Returns all operations, with the number of keys of the bulk calls. */
export function operationsWith(many: number): Operation[] {
  const get = (name: string, latest: boolean): Operation => ({
    ...{ name, keys: 1, isOnStored: true },
    run: async (node, [key = '']) => areRight([key], [await node.get(key, { latest })])
  })

  return [
    get('get', false),
    get('get latest', true),
    {
      ...{ name: 'get, nothing there', keys: 1, isOnStored: false },
      run: async (node, [key = '']) => (await node.get(key)) === undefined
    },
    {
      ...{ name: 'store', keys: 1, isOnStored: false },
      run: (node, [key = '']) => node.store(key, valueUnder(key), { ttl: TTL })
    },
    {
      ...{ name: 'getMany', keys: many, isOnStored: true },
      run: async (node, keys) => areRight(keys, await node.getMany(keys))
    },
    {
      ...{ name: 'storeMany', keys: many, isOnStored: false },
      run: async (node, keys) => {
        const entries = keys.map((key) => ({ key, value: valueUnder(key), ttl: TTL }))
        return (await node.storeMany(entries)).every(Boolean)
      }
    }
  ]
}

function areRight(keys: readonly string[], found: readonly (Found | undefined)[]): boolean {
  return countRight(keys, found) === keys.length
}

/** Counts the values that are those of their keys. */
export function countRight(keys: readonly string[], found: readonly (Found | undefined)[]): number {
  return keys.filter((key, i) => found[i]?.value === valueUnder(key)).length
}

/** Environment of the operations: the node for each run, and a way to store values beforehand. */
export interface Stage {
  storeAll(keys: readonly string[]): Promise<void>
  nodeFor(): Promise<DHT> | DHT
}

/** Runs an operation several times, each time with new keys. */
export async function timeRuns(
  { name: operation, keys: count, ...rest }: Operation,
  repeats: number,
  { storeAll, nodeFor }: Stage
): Promise<Timing> {
  const keys = Array.from({ length: repeats * count }, () => randomUUID())
  await (rest.isOnStored && storeAll(keys))
  const timesMs: number[] = []
  let right = 0

  for (let i = 0; i < repeats; i++) {
    const node = await nodeFor()
    const start = performance.now()
    right += Number(await rest.run(node, keys.slice(i * count, (i + 1) * count)))
    timesMs.push(performance.now() - start)
  }

  return { operation, keys: count, timesMs, right }
}
