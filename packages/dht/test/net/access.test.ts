import { type AllowPeer, DHT, waggle, waggleKadDHT } from '@waggle/dht'
import { getDHTTime, plainRecord, recordKey } from '@waggle/record'
import { describe, expect, it, vi } from 'vitest'
import {
  COMPARE,
  COMPARE_PROTOCOL,
  type CompareMessage
} from '../../src/upkeep/compare-messages.ts'
import { FINGERPRINT_BYTES } from '../../src/upkeep/fingerprint.ts'
import { Talker } from '../support/exchange-talker.ts'
import { basicServices, libp2pNode } from '../support/libp2p-node.ts'
import { heldBy, putAt } from '../support/replica.ts'
import { stockNode } from '../support/stock-node.ts'

const TTL = 600

/** Asks a peer for the fingerprint of its record of a key. */
async function fingerprintBy(peer: DHT, key: string, asker: DHT): Promise<Uint8Array | undefined> {
  const signal = AbortSignal.timeout(10_000)
  const stream = await asker.libp2p.dialProtocol(peer.peerId, COMPARE_PROTOCOL, { signal })
  const talker = new Talker<CompareMessage>(stream, COMPARE)
  talker.say({ name: 'compare', keys: [recordKey(key)] })
  const ended = talker.ended.then((error) => {
    throw error ?? new Error('the stream has ended')
  })
  const { fingerprints } = await Promise.race([talker.hear('compared'), ended])
  return fingerprints[0]
}

/** Starts an application's own node, which accepts all peers by default. */
async function ownNode(allowPeer?: AllowPeer) {
  const node = await libp2pNode({
    ...basicServices(),
    dht: waggleKadDHT(),
    waggle: waggle({ allowPeer })
  })
  const dht = await DHT.create({ libp2p: node })
  return Object.assign(dht, { [Symbol.asyncDispose]: async () => node.stop() })
}

describe('allowPeer', () => {
  it('lets in allowed peers only, in either direction (N9i)', async () => {
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

  it('keeps what others store from being held, and lets them read (N9i)', async () => {
    const asked: [string, Parameters<AllowPeer>[1]][] = []
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

    await expect(writer.store('key', 'value', { ttl: TTL })).rejects.toMatchObject({
      name: 'NotStoredError',
      outcome: 'refused'
    })
    expect(await writer.get('its own', { latest: true })).toMatchObject({ value: 'value' })
    expect(keeper.stats().records).toBe(1)
    expect(asked).toContainEqual([writer.peerId.toString(), 'write'])
  })

  it("keeps out what stock peers store by kad-dht's own messages, too (N1, N9i)", async () => {
    await using keeper = await DHT.create({ allowPeer: (_, purpose) => purpose === 'connect' })
    await using stock = await stockNode()
    await stock.dial(keeper.multiaddrs)
    const record = plainRecord('value', getDHTTime() + TTL)

    await expect(putAt(keeper, 'key', record, stock)).rejects.toThrow()
    expect(await heldBy(keeper, 'key', stock)).toBeUndefined()
  })

  it("keeps from an application's own node who may connect, but not read (N1, N9i)", async () => {
    const allowed = new Set<string>()
    await using keeper = await ownNode(async (peerId) => allowed.has(peerId.toString()))
    await using known = await ownNode()
    await using stranger = await ownNode()
    allowed.add(known.peerId.toString())
    await keeper.store('key', 'value', { ttl: TTL })

    for (const peer of [known, stranger]) {
      await peer.libp2p.dial(keeper.multiaddrs)
    }

    expect(await heldBy(keeper, 'key', known.libp2p)).toBeDefined()
    await expect(heldBy(keeper, 'key', stranger.libp2p)).rejects.toThrow()
    expect(await fingerprintBy(keeper, 'key', known)).toHaveLength(FINGERPRINT_BYTES)
    await expect(fingerprintBy(keeper, 'key', stranger)).rejects.toThrow()
    await expect(
      putAt(keeper, 'key', plainRecord(1, getDHTTime() + TTL), stranger.libp2p)
    ).rejects.toThrow()
  })

  it('is asked once, however often the node was started (N1)', async () => {
    const allowPeer = vi.fn(() => true)
    await using keeper = await ownNode(allowPeer)
    await keeper.libp2p.stop()
    await keeper.libp2p.start()
    await using stock = await stockNode()
    await stock.dial(keeper.multiaddrs)

    await heldBy(keeper, 'key', stock)
    expect(allowPeer).toHaveBeenCalledTimes(1)
  })
})
