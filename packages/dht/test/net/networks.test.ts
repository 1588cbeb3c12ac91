import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2p, PrivateKey, ServiceMap, Stream } from '@libp2p/interface'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { DHT, ownerTag, waggle, waggleKadDHT } from '@waggle/dht'
import {
  type DHTRecord,
  encodeRecord,
  recordKey,
  recordSelector,
  recordValidatorFor
} from '@waggle/record'
import { networkOf } from '@waggle/record/replica'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { EXCHANGE_PROTOCOL } from '../../src/exchange/messages.ts'
import { findWaggle } from '../../src/service/find-waggle.ts'
import { protocolIdIn } from '../../src/wire/protocol-id.ts'
import { encodedWrite, storeRequest } from '../support/exchange-serving.ts'
import { Talker } from '../support/exchange-talker.ts'
import { acquaint, basicServices, libp2pNode, PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'

/** Protocols of networks, some of which look alike. */
const PROTOCOLS = [
  '/waggle/kad/1.0.0',
  '/my-app/kad/1.0.0',
  '/my-app/kad/2.0.0',
  '/my-app',
  '/my-app/lan/kad/1.0.0'
]

interface Member {
  readonly protocol: string
  readonly node: Libp2p<ServiceMap>
  readonly dht: DHT
}

async function member(protocol: string): Promise<Member> {
  const node = await libp2pNode({
    ...basicServices(),
    dht: waggleKadDHT({ protocol }),
    waggle: waggle(UNHURRIED)
  })
  return { protocol, node, dht: await DHT.create({ libp2p: node }) }
}

/** Lists the pairs of nodes of which one has banned the other, or is not connected to it. */
function estranged(dhts: readonly DHT[]): unknown[] {
  return dhts.flatMap((one) =>
    dhts
      .filter((other) => other !== one)
      .filter(
        ({ peerId }) =>
          findWaggle(one.libp2p.services)?.isBanned(peerId) ||
          one.libp2p.getConnections(peerId).length === 0
      )
      .map(({ peerId }) => [String(one.peerId), String(peerId)])
  )
}

function keysHeldBy(dht: DHT): unknown[] {
  return [...dht.heldRecords()].map(({ key }) => key)
}

describe('nodes of different networks that are all connected', () => {
  let privateKey: PrivateKey
  let members: Member[]

  beforeAll(async () => {
    privateKey = await generateKeyPair('Ed25519')
    members = await Promise.all([...PROTOCOLS, ...PROTOCOLS].map(member))
    const nodes = members.map(({ node }) => node)
    await Promise.all(
      nodes.flatMap((a, i) => nodes.slice(i + 1).map((b) => a.dial(b.getMultiaddrs())))
    )

    for (const protocol of PROTOCOLS) {
      await acquaint(...members.filter((one) => one.protocol === protocol).map(({ node }) => node))
    }
  })

  afterAll(() => Promise.all((members ?? []).map(({ node }) => node.stop())))

  it('keep their records apart, and ban nobody (N13m)', async () => {
    const ttl = 600

    for (const { protocol, dht } of members.slice(0, PROTOCOLS.length)) {
      expect(await dht.store('config', protocol, { ttl })).toBe(true)
      expect(await dht.store(`of ${protocol}`, 1, { ttl })).toBe(true)
      expect(await dht.store('party', 'yes', { subkey: protocol, ttl })).toBe(true)
    }

    for (const { protocol, dht } of members) {
      expect((await dht.get('config', { latest: true }))?.value).toBe(protocol)
      expect((await dht.get('party', { latest: true }))?.value).toHaveProperty('size', 1)
      await dht.watch('config').next()
      const others = PROTOCOLS.filter((other) => other !== protocol)
      const found = await dht.getMany(
        others.map((other) => `of ${other}`),
        { latest: true }
      )
      expect(found.filter(Boolean)).toEqual([])
      expect(keysHeldBy(dht).toSorted()).toEqual(['config', 'party', `of ${protocol}`].toSorted())
    }

    expect(estranged(members.map(({ dht }) => dht))).toEqual([])
  })

  it('accept no record that was signed for another of them (N13m, R15)', async () => {
    const key = `owned by ${ownerTag(peerIdFromPrivateKey(privateKey))}`

    for (const { protocol, dht } of members.slice(0, PROTOCOLS.length)) {
      await dht.store(key, protocol, { ttl: 600, privateKey })
    }

    for (const { protocol, dht } of members.slice(0, PROTOCOLS.length)) {
      const held = [...dht.heldRecords()].find((held) => held.key === key)?.record

      for (const { protocol: other, node, dht: target } of members.slice(PROTOCOLS.length)) {
        const id = protocolIdIn(networkOf(other), EXCHANGE_PROTOCOL)
        const sender = members.find((one) => one.protocol !== other)?.node
        const talker = new Talker(
          (await sender?.dialProtocol(node.peerId, id, { maxOutboundStreams: 64 })) as Stream
        )
        const record = encodeRecord(held as DHTRecord)
        talker.say({ ...storeRequest([]), writes: [encodedWrite(recordKey(key), record)] })
        const [answer] = (await talker.hear('stored')).answers

        expect(answer?.outcome).toBe(other === protocol ? 'accepted' : 'invalid')
        expect((await target.get(key))?.value).toBe(other)
        await talker.stream.close()
      }
    }
  })

  it('speak protocols of their own, each with the name of its network (N13m)', () => {
    for (const { protocol, node } of members) {
      const ours = node.getProtocols().filter((id) => /exchange|watch|compare|clock/.test(id))
      const names = ['exchange/2', 'watch/2', 'compare/1', 'clock/1']
      expect(ours.toSorted()).toEqual(
        names.map((name) => `${networkOf(protocol)}/${name}.0.0`).toSorted()
      )
    }
  })
})

describe('a node in two networks', () => {
  it('has one waggleKadDHT, and says so (N13m)', async () => {
    const starting = libp2pNode({
      ...basicServices(),
      one: waggleKadDHT({ protocol: '/one/kad/1.0.0', datastorePrefix: '/one' }),
      two: waggleKadDHT({ protocol: '/two/kad/1.0.0', datastorePrefix: '/two' }),
      waggle: waggle()
    })

    await expect(starting).rejects.toThrow('only one waggleKadDHT()')
  })

  it('has one waggle(), and says so (N13m)', async () => {
    const services = { dht: waggleKadDHT(), one: waggle(), two: waggle() }
    const starting = libp2pNode({ ...basicServices(), ...services })

    await expect(starting).rejects.toThrow('only one waggle()')
  })

  it('carries nothing from one to the other, with a plain kad-dht in one of them (N13m)', async () => {
    const [one, two] = await Promise.all(['/one/kad/1.0.0', '/two/kad/1.0.0'].map(member))
    const protocol = '/two/kad/1.0.0'
    const both = await libp2pNode({
      ...basicServices(),
      dht: waggleKadDHT({ protocol: '/one/kad/1.0.0', datastorePrefix: '/one' }),
      plain: kadDHT({
        ...{ protocol, datastorePrefix: '/two', clientMode: false },
        ...{ peerInfoMapper: passthroughMapper, allowQueryWithZeroPeers: true },
        validators: { waggle: recordValidatorFor({ protocol }) },
        selectors: { waggle: recordSelector }
      }),
      waggle: waggle(UNHURRIED)
    })
    await using _ = {
      [Symbol.asyncDispose]: async () => {
        await Promise.all([both, one?.node, two?.node].map((node) => node?.stop()))
      }
    }
    const dht = await DHT.create({ libp2p: both, initialPeers: one?.dht.multiaddrs ?? [] })
    await both.dial(two?.node.getMultiaddrs() ?? [])
    await one?.dht.store('config', 'one', { ttl: 300 })
    await vi.waitUntil(async () => {
      await two?.dht.store('config', 'two', { ttl: 600 })
      return (await two?.dht.get('config', { latest: true }))?.value === 'two'
    }, PATIENCE)

    for (const node of [one?.dht, dht]) {
      expect((await node?.get('config', { latest: true }))?.value).toBe('one')
    }

    expect((await two?.dht.get('config', { latest: true }))?.value).toBe('two')
  })
})

describe('nodes of one network with different limits', () => {
  it('refuse what exceeds their own, and ban nobody (N13l)', async () => {
    const common = { ...UNHURRIED, listenOn: '127.0.0.1:0' }
    const first = await DHT.create(common)
    const initialPeers = first.multiaddrs
    const others = await Promise.all(
      [
        { limits: { maxRecordBytes: 500, maxValueBytes: 300 } },
        { limits: { maxKeyBytes: 40 } },
        { limits: { maxTtl: 500 } },
        { limits: { maxSubkeys: 2 } },
        { limits: { maxBufferedBytesPerPeer: 2 ** 20 }, numReplicas: 1 },
        { cache: false as const, numReplicas: 20 }
      ].map((options) => DHT.create({ ...common, ...options, initialPeers }))
    )
    const all = [first, ...others]
    await using _ = {
      [Symbol.asyncDispose]: async () => {
        await Promise.all(all.map((dht) => dht.stop()))
      }
    }
    await vi.waitUntil(() => all.every((dht) => dht.stats().peers === others.length), PATIENCE)

    const large = new Uint8Array(200_000)
    expect(await first.store('large', large, { ttl: 600 })).toBe(true)
    expect(await first.store('long '.repeat(20), 1, { ttl: 600 })).toBe(true)

    for (const subkey of ['a', 'b', 'c', 'd']) {
      await first.store('dictionary', large, { subkey, ttl: 600 })
    }

    for (const dht of all) {
      for (const key of ['large', 'dictionary', 'missing']) {
        // A record beyond a reader's own limits counts as absent.
        await dht.get(key, { latest: true })
        await dht.get(key)
      }
    }

    expect(estranged(all)).toEqual([])
    expect((await first.get('large', { latest: true }))?.value).toEqual(large)
  })
})
