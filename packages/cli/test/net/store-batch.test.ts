import type { DHT } from '@waggle/dht'
import { type Testnet, testnet } from '@waggle/dht/testnet'
import { getDHTTime } from '@waggle/record'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ImportedEntry } from '../../src/records/entry-line.ts'
import { storeBatch } from '../../src/records/store-batch.ts'

const expirationTime = Math.floor(getDHTTime()) + 600
const { signal } = new AbortController()

let net: Testnet
let dht: DHT

beforeAll(async () => {
  net = await testnet(2)
  dht = net.nodes[1] as DHT
})

afterAll(() => net.stop())

function entry(key: string, value: number): ImportedEntry {
  return { key, value, expirationTime, isSigned: false }
}

describe('storeBatch', () => {
  it('tries again what no peer has taken', async () => {
    const storing = vi.spyOn(dht, 'storeMany').mockResolvedValueOnce([]).mockResolvedValueOnce([])
    const outcome = await storeBatch(dht, [entry('again', 1)], signal)
    const attempts = storing.mock.calls.length
    storing.mockRestore()

    expect(outcome).toEqual({ stored: 1, refused: 0, failed: 0 })
    // Each attempt stores whole values, then subkeys.
    expect(attempts).toBe(4)
    expect(await dht.get('again')).toMatchObject({ value: 1 })
  })

  it('tries again nothing that is refused, also if what is held expires at the same time', async () => {
    const outcomes = []

    // One of the values wins the tie: the other one is refused, before it or after it.
    for (const value of [1, 2, 1]) {
      outcomes.push(await storeBatch(dht, [entry('tie', value)], signal))
    }

    expect(outcomes.map(({ refused }) => refused).sort()).toEqual([0, 0, 1])
    expect(outcomes.map(({ failed }) => failed)).toEqual([0, 0, 0])
  })
})
