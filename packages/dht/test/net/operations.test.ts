import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULTS, DHT, waggle, waggleKadDHT } from '../../src/index.ts'
import { type Testnet, testnet } from '../../src/testnet.ts'

let net: Testnet

beforeAll(async () => {
  net = await testnet(3)
})

afterAll(() => net.stop())

function node(): DHT {
  return net.nodes[0] as DHT
}

describe('writes of one moment with the same ttl', () => {
  it('let the later one win, each time (R2)', async () => {
    for (let round = 0; round < 50; round++) {
      await node().store(round, 'zebra', { ttl: 60 })
      expect(await node().store(round, 'ant', { ttl: 60 })).toBe(true)
      expect((await node().get(round, { latest: true }))?.value).toBe('ant')
    }
  })

  it('let a deletion take away what was stored before it (R9)', async () => {
    for (let round = 0; round < 50; round++) {
      await node().store(`deleted ${round}`, 'zebra', { ttl: 60 })
      expect(await node().delete(`deleted ${round}`, { ttl: 60 })).toBe(true)
      expect(await node().get(`deleted ${round}`, { latest: true })).toBeUndefined()
    }
  })
})

describe('findNearestPeers', () => {
  it('names all there are when more are wanted than one answer can name', async () => {
    expect(await node().findNearestPeers('key', { count: 100 })).toHaveLength(2)
  })
})

describe('waggle', () => {
  it('refuses options that no peer would agree to', () => {
    expect(() => waggle({ numReplicas: 21 })).toThrow('numReplicas must be an integer')
    expect(() => waggle({ requestTimeoutMs: 0 })).toThrow('requestTimeoutMs must be a positive')
  })
})

describe('waggleKadDHT', () => {
  it('takes an option that is undefined for one left out', async () => {
    await using other = await DHT.create({
      libp2pOptions: { services: { dht: waggleKadDHT({ protocol: undefined }) } }
    } as never)

    expect(other.libp2p.getProtocols()).toContain(DEFAULTS.protocol)
  })
})
