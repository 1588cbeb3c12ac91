import { generateKeyPair } from '@libp2p/crypto/keys'
import {
  checkRecord,
  encodeRecord,
  type RecordValidator,
  recordKey,
  schemaValidator,
  ValidationError
} from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Operations } from '../../src/operations/operations.ts'
import { Publications } from '../../src/operations/publications.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { owner } from '../support/owners.ts'
import { operations } from '../support/simulated-operations.ts'
import { Simulation, START } from '../support/simulated-replicas.ts'

const alice = await owner(1)
const bob = await owner(2)
const LIFETIME = { ttl: 600 }

function network(key: string): Simulation {
  return new Simulation(recordKey(key), { size: 6 })
}

/** Makes the operations of Alice's node in a network. */
function alices(net: Simulation): Operations {
  return operations(net, { privateKey: alice.privateKey })
}

/** Whether all peers' records of a key would pass the checks of any peer. */
function isSound(net: Simulation, key: string): boolean {
  const bytes = recordKey(key)
  const holders = net.holders(bytes)

  for (const rank of holders) {
    checkRecord(bytes, encodeRecord(net.peer(rank).store.get(bytes)), { now: net.clock() })
  }

  return holders.length >= 5
}

describe('a node that stores in a place of its own', () => {
  it('signs the value of an owned key (R15)', async () => {
    const key = `profile/${alice.tag}`
    const net = network(key)

    expect(await alices(net).store(key, { name: 'Alice' }, LIFETIME)).toBe(true)
    expect(isSound(net, key)).toBe(true)
    expect(await alices(net).get(key, { latest: true })).toMatchObject({ value: { name: 'Alice' } })
  })

  it('signs the value of an owned subkey (R15)', async () => {
    const net = network('party')
    const dht = alices(net)

    expect(await dht.store('party', 'yes', { ...LIFETIME, subkey: alice.tag })).toBe(true)
    expect(await dht.store('party', 'no', { ...LIFETIME, subkey: 'anybody' })).toBe(true)
    expect(isSound(net, 'party')).toBe(true)
  })

  it('signs the deletion of either (R15, R9)', async () => {
    const net = network(alice.tag)
    const dht = alices(net)

    expect(await dht.store(alice.tag, 1, LIFETIME)).toBe(true)
    expect(await dht.delete(alice.tag, LIFETIME)).toBe(true)
    expect(isSound(net, alice.tag)).toBe(true)
    expect(await dht.get(alice.tag, { latest: true })).toBeUndefined()

    expect(await dht.store('party', 1, { ...LIFETIME, subkey: alice.tag })).toBe(true)
    expect(await dht.delete('party', { ...LIFETIME, subkey: alice.tag })).toBe(true)
    expect(await dht.get('party', { latest: true })).toBeUndefined()
  })

  it('signs all of many (R15)', async () => {
    const net = network(alice.tag)
    const entries = [
      { key: alice.tag, value: 1 },
      { key: 'party', subkey: alice.tag, value: 2 },
      { key: 'party', subkey: bob.tag, value: 3, privateKey: bob.privateKey },
      { key: 'party', value: 4, subkey: 'anybody' }
    ]

    expect(await alices(net).storeMany(entries, LIFETIME)).toEqual([true, true, true, true])
    expect(isSound(net, alice.tag)).toBe(true)
    expect(isSound(net, 'party')).toBe(true)
  })

  it('signs again what it keeps alive, with each new expiration (R15, N7)', async () => {
    const net = network(alice.tag)
    const publications = new Publications(net.clock)
    const dht = operations(net, { privateKey: alice.privateKey, publications })
    await dht.publish(alice.tag, 1, LIFETIME).held()

    net.clock.time = START + 500
    await publications.runDue()
    publications.stop()

    expect(isSound(net, alice.tag)).toBe(true)
    expect((await dht.get(alice.tag))?.expirationTime).toBe(START + 1100)
  })
})

describe('a call with a privateKey', () => {
  it('signs for another peer than the node (R15)', async () => {
    const net = network('party')
    const dht = alices(net)
    const options = { ...LIFETIME, subkey: bob.tag, privateKey: bob.privateKey }

    expect(await dht.store('party', 'yes', options)).toBe(true)
    expect(isSound(net, 'party')).toBe(true)
    expect(await dht.delete('party', options)).toBe(true)
  })

  it("signs where it is the owner's, of many (R15)", async () => {
    const net = network('party')
    const entries = [alice, bob].map(({ tag }) => ({ key: 'party', subkey: tag, value: 'yes' }))
    const { privateKey } = bob

    expect(await alices(net).storeMany(entries, { ...LIFETIME, privateKey })).toEqual([true, true])
    expect(isSound(net, 'party')).toBe(true)
  })

  it("rejects where it is not the owner's (R15)", async () => {
    const dht = alices(network('party'))
    const options = { ...LIFETIME, subkey: alice.tag, privateKey: bob.privateKey }

    await expect(dht.store('party', 'yes', options)).rejects.toThrow(ValidationError)
    await expect(dht.delete('party', options)).rejects.toThrow(ValidationError)
  })

  it.each([
    ['no key', 'secret', TypeError, /libp2p private key/],
    ['a key for a place of nobody', alice.privateKey, TypeError, /nobody owns the place/]
  ])('rejects with %s', async (_, privateKey, type, reason) => {
    const stored = alices(network('party')).store('party', 1, {
      ...LIFETIME,
      privateKey: privateKey as never
    })

    await expect(stored).rejects.toThrow(type)
    await expect(stored).rejects.toThrow(reason)
  })

  it('rejects with a key that is not Ed25519 (R15)', async () => {
    const privateKey = await generateKeyPair('secp256k1')
    const options = { ...LIFETIME, subkey: bob.tag, privateKey }

    await expect(alices(network('party')).store('party', 1, options)).rejects.toThrow(
      ValidationError
    )
  })
})

describe('a node that stores in a place of somebody else', () => {
  const places: [string, string, string | undefined][] = [
    ['the key', `profile/${bob.tag}`, undefined],
    ['the key, with a subkey', `profile/${bob.tag}`, 'name'],
    ['the subkey', 'party', bob.tag],
    ['key and subkey of two', bob.tag, alice.tag],
    ['a key that nobody can own', '[owner:bob]', undefined]
  ]

  it.each(places)('rejects, and sends nothing: %s (R15)', async (_, key, subkey) => {
    const net = network(key)
    const dht = alices(net)

    await expect(dht.store(key, 1, { ...LIFETIME, subkey })).rejects.toThrow(ValidationError)
    await expect(dht.delete(key, { ...LIFETIME, subkey })).rejects.toThrow(ValidationError)
    await expect(
      dht.storeMany(
        [
          { key: 'fine', value: 1 },
          { key, subkey, value: 1 }
        ],
        LIFETIME
      )
    ).rejects.toThrow(/^entry 1: /)
    expect(net.requests).toEqual([])
  })
})

describe('a node with validators', () => {
  const schema = schemaValidator({ rules: [{ prefix: 'sensor/', value: z.number() }] })

  function strict(net: Simulation, ...validators: RecordValidator[]): Operations {
    const store = new RecordStore({ clock: net.clock, validators })
    return operations(net, { store, privateKey: alice.privateKey })
  }

  it('stores what they accept, and rejects what they refuse, saying who and why', async () => {
    const net = network('sensor/1')
    const dht = strict(net, schema)

    expect(await dht.store('sensor/1', 20.5, LIFETIME)).toBe(true)
    net.requests.splice(0)
    const refused = dht.store('sensor/1', 'warm', LIFETIME)
    await expect(refused).rejects.toThrow(ValidationError)
    await expect(refused).rejects.toThrow(/schemaValidator: value: .*number/)
    expect(net.requests).toEqual([])
  })

  it('stores nothing of many when one is refused', async () => {
    const net = network('sensor/1')
    const entries = [
      { key: 'sensor/1', value: 1 },
      { key: 'sensor/2', value: 'two' }
    ]

    await expect(strict(net, schema).storeMany(entries, LIFETIME)).rejects.toThrow(
      /^entry 1: refused by schemaValidator/
    )
    expect(net.requests).toEqual([])
  })

  it('does not find what they refuse, and finds what they accept', async () => {
    const net = network('sensor/1')
    expect(await operations(net).store('sensor/1', 'warm', LIFETIME)).toBe(true)
    expect(await operations(net).store('other', 'warm', LIFETIME)).toBe(true)

    expect(await strict(net, schema).get('sensor/1')).toBeUndefined()
    expect(await strict(net, schema).getMany(['sensor/1', 'other'])).toMatchObject([
      undefined,
      { value: 'warm' }
    ])
  })

  it('has them sign before the owner does, and strips what they added (R15)', async () => {
    const net = network(alice.tag)
    const marking: RecordValidator = {
      validate: ({ value }) => value === undefined || String(value).startsWith('!'),
      sign: ({ value }) => `!${value}`,
      strip: ({ value }) => String(value).slice(1)
    }
    const dht = strict(net, marking)

    expect(await dht.store(alice.tag, 'x', LIFETIME)).toBe(true)
    expect(isSound(net, alice.tag)).toBe(true)
    expect(await operations(net).get(alice.tag)).toMatchObject({ value: '!x' })
    expect(await dht.get(alice.tag)).toMatchObject({ value: 'x' })
    expect(await dht.delete(alice.tag, { ttl: 700 })).toBe(true)
  })

  it('lets those that take their time', async () => {
    const net = network('key')
    const slow: RecordValidator = { name: 'slow', validate: async ({ value }) => value !== 'bad' }
    const dht = strict(net, slow)

    expect(await dht.store('key', 'good', LIFETIME)).toBe(true)
    await expect(dht.store('key', 'bad', LIFETIME)).rejects.toThrow('refused by slow: no reason')
  })
})
