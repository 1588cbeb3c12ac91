import {
  DHT,
  getDHTTime,
  type RecordValidator,
  schemaValidator,
  ValidationError,
  waggle,
  waggleKadDHT
} from '@waggle/dht'
import { type Testnet, testnet } from '@waggle/dht/testnet'
import { plainRecord } from '@waggle/record'
import { decodeValue } from '@waggle/record/replica'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { subkeysOf } from '../support/found.ts'
import { acquaint, basicServices, libp2pNode, UNHURRIED } from '../support/libp2p-node.ts'
import { heldBy, putAt } from '../support/replica.ts'

const LIFETIME = { ttl: 600 }

const validator = schemaValidator({
  rules: [
    { prefix: 'sensor/', value: z.number() },
    { key: 'party', subkey: z.string(), value: z.enum(['yes', 'no']) },
    { pattern: /^later-/, value: z.string().refine(async (text) => text !== 'bad', 'is bad') }
  ]
})

describe('a network whose nodes have a schema', () => {
  let net: Testnet
  let lax: DHT

  beforeAll(async () => {
    net = await testnet(3, { ...UNHURRIED, validators: [validator] })
    lax = await net.add({ validators: [], clientMode: true })
  }, 60_000)

  afterAll(() => net?.stop())

  const node = (i: number): DHT => net.nodes[i] as DHT

  it('stores and finds what it accepts', async () => {
    expect(await node(0).store('sensor/1', 20.5, LIFETIME)).toBe(true)
    expect(await node(1).store('party', 'yes', { ...LIFETIME, subkey: 'alice' })).toBe(true)
    expect(await lax.store('party', 'no', { ...LIFETIME, subkey: 'bob' })).toBe(true)
    expect(await lax.store('later-1', 'good', LIFETIME)).toBe(true)
    expect(await node(0).store('free', ['anything'], LIFETIME)).toBe(true)

    expect(await node(2).get('sensor/1')).toMatchObject({ value: 20.5 })
    expect(subkeysOf(await node(2).get('party', { latest: true }))).toEqual(['bob', 'alice'])
    expect(await node(2).get('later-1')).toMatchObject({ value: 'good' })
    expect(await lax.get('free')).toMatchObject({ value: ['anything'] })
  })

  it.each([
    ['sensor/2', 'warm', undefined],
    ['party', 'maybe', 'carol'],
    ['party', 'yes', undefined],
    ['later-2', 'bad', undefined]
  ])('rejects at its own nodes, and refuses from others: %s = %s', async (key, value, subkey) => {
    await expect(node(0).store(key, value, { ...LIFETIME, subkey })).rejects.toThrow(
      ValidationError
    )
    await expect(lax.store(key, value, { ...LIFETIME, subkey, ttl: 700 })).rejects.toMatchObject({
      name: 'NotStoredError',
      outcome: 'refused'
    })
    // The peers that refused it are as good as before.
    expect(await lax.store('free', 'as ever', LIFETIME)).toBe(true)
  })

  it("refuses it in kad-dht's own messages, too (N1)", async () => {
    const warm = plainRecord('warm', getDHTTime() + 600)

    await expect(putAt(node(0), 'sensor/3', warm, lax.libp2p)).rejects.toThrow()
    expect(await heldBy(node(0), 'sensor/3', lax.libp2p)).toBeUndefined()
  })

  it('does not find what a node without the schema holds', async () => {
    const server = await net.add({ validators: [] })
    const expirationTime = getDHTTime() + 600
    await putAt(server, 'sensor/4', plainRecord('warm', expirationTime), lax.libp2p)
    expect(await lax.get('sensor/4', { latest: true })).toMatchObject({ value: 'warm' })

    expect(await node(1).get('sensor/4', { latest: true })).toBeUndefined()
    // The record held there proves nothing to peers with the schema.
    expect(await node(0).store('sensor/4', 4, { expirationTime: expirationTime - 60 })).toBe(true)
    expect(await node(0).get('sensor/4', { latest: true })).toMatchObject({ value: 4 })
  })
})

describe('addValidators', () => {
  it('counts from then on, for what is held already, too', async () => {
    await using net = await testnet(2, UNHURRIED)
    const [first, second] = net.nodes as [DHT, DHT]
    expect(await first.store('sensor/1', 'warm', LIFETIME)).toBe(true)
    expect(await second.get('sensor/1')).toMatchObject({ value: 'warm' })

    second.addValidators(validator)

    expect(await second.get('sensor/1')).toBeUndefined()
    expect(await first.get('sensor/1')).toMatchObject({ value: 'warm' })
    await expect(second.store('sensor/1', 'hot', LIFETIME)).rejects.toThrow(/schemaValidator/)
    expect(await second.store('sensor/1', 30, { ttl: 900 })).toBe(true)
    expect(() => second.addValidators({} as never)).toThrow(TypeError)
  })

  it('counts until the DHT stops, or creating it has failed, on a node that goes on', async () => {
    await using node = await libp2pNode({
      ...basicServices(),
      dht: waggleKadDHT(),
      waggle: waggle()
    })
    const failed = DHT.create({
      libp2p: node,
      validators: [validator],
      initialPeers: '127.0.0.1:9',
      bootstrapTimeoutMs: 300
    })
    await expect(failed).rejects.toMatchObject({ name: 'BootstrapError' })

    await using dht = await DHT.create({ libp2p: node })
    expect(await dht.store('sensor/1', 'warm', LIFETIME)).toBe(true)
    const [one, other] = [
      await DHT.create({ libp2p: node, validators: [validator] }),
      await DHT.create({ libp2p: node })
    ]
    other.addValidators(validator)
    await one.stop()
    await expect(dht.store('sensor/2', 'warm', LIFETIME)).rejects.toThrow(ValidationError)
    await other.stop()
    expect(await dht.store('sensor/2', 'warm', LIFETIME)).toBe(true)
    expect(() => other.addValidators(validator)).toThrow(/stopped/)
  })

  it('signs once, however many DHTs of a node have the same', async () => {
    await using node = await libp2pNode({
      ...basicServices(),
      dht: waggleKadDHT(),
      waggle: waggle()
    })
    const marking: RecordValidator = {
      validate: () => true,
      sign: ({ value }) => `[${value}]`,
      strip: ({ value }) => String(value).slice(1, -1)
    }
    await using dht = await DHT.create({ libp2p: node, validators: [marking] })
    await using _ = await DHT.create({ libp2p: node, validators: [marking] })
    await dht.store('key', 'value', LIFETIME)

    const [held] = dht.heldRecords()
    expect(decodeValue(held?.record.plain?.value as Uint8Array)).toBe('[value]')
    expect(await dht.get('key')).toMatchObject({ value: 'value' })
  })

  it('works in a node of the application, by option, too', async () => {
    const services = () => ({ ...basicServices(), waggle: waggle(), dht: waggleKadDHT() })
    await using one = await libp2pNode({
      ...services(),
      dht: waggleKadDHT({ records: { validators: [validator] } })
    })
    await using other = await libp2pNode(services())
    await acquaint(one, other)
    await using strict = await DHT.create({ libp2p: one })
    await using wrapped = await DHT.create({ libp2p: other, validators: [validator] })

    for (const dht of [strict, wrapped]) {
      await expect(dht.store('sensor/1', 'warm', LIFETIME)).rejects.toThrow(ValidationError)
      expect(await dht.store('sensor/1', 1, LIFETIME)).toBe(true)
    }
  })
})
