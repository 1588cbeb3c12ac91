import { DHT, type Purpose } from '@waggle/dht'
import { getDHTTime, plainRecord } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { heldBy, putAt } from '../support/replica.ts'
import { stockNode } from '../support/stock-node.ts'

const TTL = 600

describe('allowPeer', () => {
  it('lets in whom it allows, and nobody else, whoever dials (N9)', async () => {
    const allowed = new Set<string>()
    await using keeper = await DHT.create({
      allowPeer: async (peerId, purpose) => purpose === 'write' || allowed.has(peerId.toString())
    })
    const joining = DHT.create({ initialPeers: keeper.multiaddrs, bootstrapTimeoutMs: 5000 })
    await expect(joining).rejects.toMatchObject({ name: 'BootstrapError' })
    expect(keeper.peers).toEqual([])

    await using stranger = await DHT.create()
    await expect(keeper.libp2p.dial(stranger.multiaddrs)).rejects.toThrow()
    expect(keeper.peers).toEqual([])

    await using known = await DHT.create({ requireBootstrap: false })
    allowed.add(known.peerId.toString())
    await known.libp2p.dial(keeper.multiaddrs)
    await expect.poll(() => keeper.peers.map(String)).toEqual([known.peerId.toString()])
  })

  it('keeps what others store from being held, and lets them read (N9)', async () => {
    const asked: [string, Purpose][] = []
    await using keeper = await DHT.create({
      allowPeer(peerId, purpose) {
        asked.push([peerId.toString(), purpose])
        return purpose === 'connect'
      }
    })
    await using writer = await DHT.create({
      clientMode: true,
      initialPeers: keeper.multiaddrs,
      cache: false
    })
    expect(await keeper.store('its own', 'value', { ttl: TTL })).toBe(true)

    expect(await writer.store('key', 'value', { ttl: TTL })).toBe(false)
    expect(await writer.get('its own', { latest: true })).toMatchObject({ value: 'value' })
    expect(keeper.stats().records).toBe(1)
    expect(asked).toContainEqual([writer.peerId.toString(), 'write'])
  })

  it("keeps out what stock peers store by kad-dht's own messages, too (N1, N9)", async () => {
    await using keeper = await DHT.create({ allowPeer: (_, purpose) => purpose === 'connect' })
    await using stock = await stockNode()
    await stock.dial(keeper.multiaddrs)
    const record = plainRecord('value', getDHTTime() + TTL)

    await expect(putAt(keeper, 'key', record, stock)).rejects.toThrow()
    expect(await heldBy(keeper, 'key', stock)).toBeUndefined()
  })
})
