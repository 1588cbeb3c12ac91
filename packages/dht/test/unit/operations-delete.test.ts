import {
  type DHTRecord,
  plainRecord,
  recordKey,
  subkeyRecord,
  tombstoneRecord
} from '@waggle/record'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Operations } from '../../src/operations/operations.ts'
import { law } from '../support/effort.ts'
import { owner } from '../support/owners.ts'
import { operations } from '../support/simulated-operations.ts'
import { Simulation, START } from '../support/simulated-replicas.ts'

const KEY = recordKey('key')
const LIFETIME = { ttl: 600 }
const alice = await owner(1)
const bob = await owner(2)

function network(): Simulation {
  return new Simulation(KEY, { size: 6 })
}

function of(
  net: Simulation,
  { privateKey }: { privateKey?: typeof alice.privateKey } = {}
): Operations {
  return operations(net, { privateKey })
}

async function shown(dht: Operations): Promise<unknown> {
  const value = (await dht.get('key', { latest: true }))?.value
  return value instanceof Map ? [...value.keys()] : value
}

interface Placed {
  readonly place: string | undefined
  readonly until: number
  readonly isDeleted: boolean
}

describe('a deletion without a lifetime', () => {
  it('deletes what is there, with a tombstone one step later, and lets the same ttl win again (R9)', async () => {
    const net = network()
    const dht = of(net)
    await dht.store('key', 'a value', { expirationTime: START + 600 })

    expect(await dht.delete('key', { report: true })).toMatchObject({
      outcome: 'held',
      expirationTime: START + 600 + 1e-6
    })
    expect(await shown(dht)).toBeUndefined()
    net.clock.time += 0.001
    expect(await dht.store('key', 'again', LIFETIME)).toBe(true)
    expect(await shown(dht)).toBe('again')
  })

  it('writes nothing where nothing is, or only what others have deleted (R9)', async () => {
    const net = network()
    const dht = of(net)

    expect(await dht.delete('key')).toBe(true)
    expect(await dht.delete('key', { subkey: 'a' })).toBe(true)
    expect(net.ranks('store')).toEqual([])
    await dht.store('key', 1, LIFETIME)
    await dht.delete('key')
    const { length } = net.requests
    expect(await dht.delete('key', { report: true })).toMatchObject({
      outcome: 'held',
      replicas: []
    })
    expect(net.requests.slice(length).some(({ kind }) => kind === 'store')).toBe(false)
  })

  it('deletes one subkey alone, and a key with all of its subkeys (R4, R9)', async () => {
    const dht = of(network())

    for (const subkey of ['a', 'b', ['c', 1]]) {
      await dht.store('key', 1, { ...LIFETIME, subkey })
    }

    expect(await dht.delete('key', { subkey: ['c', 1] })).toBe(true)
    expect(await shown(dht)).toEqual(['a', 'b'])
    expect(await dht.delete('key')).toBe(true)
    expect(await shown(dht)).toBeUndefined()
  })

  it('deletes what this node owns, and leaves what others own, which it says (R16)', async () => {
    const net = network()
    const [his, hers] = [of(net, bob), of(net, alice)]
    await his.store('key', 'of Bob', { ...LIFETIME, subkey: bob.tag })
    await hers.store('key', 'of Alice', { ...LIFETIME, subkey: alice.tag })
    await hers.store('key', 'of nobody', { ...LIFETIME, subkey: 'x' })

    const report = await hers.delete('key', { report: true })
    expect(report).toMatchObject({
      outcome: 'beaten',
      by: { value: new Map([[bob.tag, expect.anything()]]) }
    })
    expect(await shown(hers)).toEqual([bob.tag])
    expect(await hers.delete('key')).toBe(false)
    await expect(hers.delete('key', { subkey: bob.tag })).rejects.toMatchObject({
      name: 'ValidationError'
    })
    expect(await his.delete('key')).toBe(true)
    expect(await shown(his)).toBeUndefined()
  })

  it('rejects when nobody answers, for then nobody knows what is there', async () => {
    const net = new Simulation(KEY, { size: 6, isReplica: () => false })

    for (const peer of net.peers) {
      peer.fails = 'always'
    }

    await expect(of(net).delete('key')).rejects.toMatchObject({ name: 'UnreachableError' })
  })

  it('leaves nothing to see, whatever is there at whichever peers (R9)', async () => {
    const entry = fc.record({
      place: fc.constantFrom(undefined, 'a', 'b'),
      until: fc.integer({ min: START + 1, max: START + 9 }),
      isDeleted: fc.boolean(),
      rank: fc.nat(5)
    })
    const recordOf = ({ place: subkey, until, isDeleted }: Placed): DHTRecord => {
      if (isDeleted) {
        return tombstoneRecord(until, { subkey })
      }

      return subkey === undefined ? plainRecord(until, until) : subkeyRecord(subkey, until, until)
    }

    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 8 }),
        fc.constantFrom(undefined, 'a'),
        async (entries, subkey) => {
          const net = network()
          const dht = of(net)

          for (const one of entries) {
            net.peer(one.rank).store.apply(KEY, recordOf(one))
          }

          expect(await dht.delete('key', { subkey })).toBe(true)
          const left = await shown(dht)
          expect(
            subkey === undefined ? left : Array.isArray(left) && left.includes('a')
          ).toBeFalsy()
        }
      ),
      law(200)
    )
  })
})
