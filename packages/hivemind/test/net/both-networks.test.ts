import type { Libp2p, ServiceMap } from '@libp2p/interface'
import { DHT, waggle, waggleKadDHT } from '@waggle/dht'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { basicServices, libp2pNode } from '../../../dht/test/support/libp2p-node.ts'
import { HivemindDHT, hivemind, hivemindKadDHT } from '../../src/index.ts'
import { PING } from '../../src/rpc/procedures.ts'
import { MALFORMED_ALLOWED, sendMalformed } from '../support/malformed-calls.ts'

let stack: AsyncDisposableStack
let node: Libp2p<ServiceMap>
let ours: { readonly waggle: DHT; readonly hivemind: HivemindDHT }
let others: { readonly waggle: DHT; readonly hivemind: HivemindDHT }

beforeEach(async () => {
  stack = new AsyncDisposableStack()
  others = {
    waggle: stack.use(await DHT.create()),
    hivemind: stack.use(await HivemindDHT.create())
  }
  node = stack.use(
    await libp2pNode({
      ...basicServices(),
      dht: waggleKadDHT(),
      waggle: waggle(),
      hivemindKad: hivemindKadDHT(),
      hivemind: hivemind()
    })
  )
  ours = {
    waggle: stack.use(
      await DHT.create({ libp2p: node, initialPeers: others.waggle.multiaddrs.map(String) })
    ),
    hivemind: stack.use(
      await HivemindDHT.create({ libp2p: node, initialPeers: others.hivemind.multiaddrs })
    )
  }
})

afterEach(async () => {
  await stack.disposeAsync()
})

describe('a libp2p node with a service that was named without its call', () => {
  it.each([
    ['hivemind', { kad: hivemindKadDHT(), hivemind }],
    ['hivemindKadDHT', { kad: hivemindKadDHT, hivemind: hivemind() }]
  ])('says that %s has to be called', async (name, services) => {
    await expect(libp2pNode({ ...basicServices(), ...services } as never)).rejects.toThrow(
      `need ${name}(), not ${name}: call it`
    )
  })
})

describe('a libp2p node in a network of Waggle and in one of Hivemind', () => {
  it('reads and writes in both, and keeps their records apart', async () => {
    expect(await ours.waggle.store('key', 'of Waggle', { ttl: 60 })).toBe(true)
    expect(await ours.hivemind.store('key', 'of Hivemind', { ttl: 60 })).toBe(true)

    expect((await others.waggle.get('key', { latest: true }))?.value).toBe('of Waggle')
    expect((await others.hivemind.get('key', { latest: true }))?.value).toBe('of Hivemind')
    expect((await ours.waggle.get('key', { latest: true }))?.value).toBe('of Waggle')
    expect((await ours.hivemind.get('key', { latest: true }))?.value).toBe('of Hivemind')
  })

  it('serves both, and knows of each network only its own peers', async () => {
    expect(await others.waggle.store('a', 1, { ttl: 60 })).toBe(true)
    expect(await others.hivemind.store('b', 2, { ttl: 60 })).toBe(true)

    expect(ours.waggle.stats()).toMatchObject({ records: 1, knownPeers: 1 })
    expect(ours.hivemind.stats()).toMatchObject({ records: 1, knownPeers: 1 })
  })

  it('goes on in one when the other ends', async () => {
    await ours.hivemind.stop()
    expect(await ours.waggle.store('key', 1, { ttl: 60 })).toBe(true)
    await expect(ours.hivemind.get('key')).rejects.toThrow('stopped')
  })

  it('lets no peer in that has broken a protocol of either (N13d)', async () => {
    await using attacker = await HivemindDHT.create({
      initialPeers: node.getMultiaddrs(),
      clientMode: true
    })
    const connections = () => node.getConnections(attacker.peerId)

    for (let i = 0; i < MALFORMED_ALLOWED; i++) {
      await sendMalformed(attacker.libp2p, node, PING)
    }

    expect(connections()).not.toEqual([])
    await sendMalformed(attacker.libp2p, node, PING)
    await expect.poll(connections).toEqual([])
    await expect(sendMalformed(attacker.libp2p, node, '/waggle/exchange/1.0.0')).rejects.toThrow()
  })
})
