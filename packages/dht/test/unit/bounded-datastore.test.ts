import { MemoryDatastore } from 'datastore-core'
import { Key } from 'interface-datastore'
import { describe, expect, it } from 'vitest'
import {
  boundedDatastore,
  MAX_FOREIGN_RECORDS,
  MAX_PROVIDERS
} from '../../src/kad/bounded-datastore.ts'

const VALUE = Uint8Array.of(1)

async function countOf(datastore: MemoryDatastore, prefix: string): Promise<number> {
  let count = 0

  for await (const _ of datastore.queryKeys({ prefix })) {
    count++
  }

  return count
}

describe('boundedDatastore', () => {
  it.each([
    ['records of other namespaces', '/dht/record', MAX_FOREIGN_RECORDS],
    ['providers', '/dht/provider', MAX_PROVIDERS]
  ])('keeps so many %s, and the latest of them (N13c)', async (_, folder, most) => {
    const inner = new MemoryDatastore()
    const bounded = boundedDatastore(inner, '/dht')

    for (let i = 0; i < most + 50; i++) {
      await bounded.put(new Key(`${folder}/${i}`), VALUE)
    }

    expect(await countOf(inner, folder)).toBe(most)
    expect(await inner.has(new Key(`${folder}/0`))).toBe(false)
    expect(await inner.has(new Key(`${folder}/${most + 49}`))).toBe(true)
  })

  it('counts what was there before (N13c)', async () => {
    const inner = new MemoryDatastore()

    for (let i = 0; i < MAX_FOREIGN_RECORDS; i++) {
      await inner.put(new Key(`/dht/record/old${i}`), VALUE)
    }

    await boundedDatastore(inner, '/dht').put(new Key('/dht/record/new'), VALUE)
    expect(await countOf(inner, '/dht/record')).toBe(MAX_FOREIGN_RECORDS)
    expect(await inner.has(new Key('/dht/record/new'))).toBe(true)
  })

  it('refuses large ones (N13c)', async () => {
    const bounded = boundedDatastore(new MemoryDatastore(), '/dht')
    await expect(bounded.put(new Key('/dht/record/a'), new Uint8Array(70_000))).rejects.toThrow(
      'at most 65536 are kept'
    )
  })

  it('leaves all else alone', async () => {
    const inner = new MemoryDatastore()
    const bounded = boundedDatastore(inner, '/dht')

    for (let i = 0; i < MAX_FOREIGN_RECORDS + 5; i++) {
      await bounded.put(new Key(`/peers/${i}`), new Uint8Array(2))
    }

    expect(await countOf(inner, '/peers')).toBe(MAX_FOREIGN_RECORDS + 5)
  })
})
