import { DHT } from '@waggle/dht'
import { describe, expect, it } from 'vitest'
import { PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'

describe('a peer that is connected', () => {
  it('learns the address that a node gains at a relay later', async () => {
    await using server = await DHT.create(UNHURRIED)
    await using hidden = await DHT.create({
      ...UNHURRIED,
      ...{ listenOn: [], relay: true, initialPeers: server.multiaddrs, requestTimeoutMs: 500 }
    })
    await using relay = await DHT.create({ ...UNHURRIED, serveRelay: true })
    const addresses = async (): Promise<string> => {
      const { addresses } = await server.libp2p.peerStore.get(hidden.peerId)
      return addresses.map(({ multiaddr }) => multiaddr.toString()).join(' ')
    }
    expect(await addresses()).not.toContain('p2p-circuit')
    await hidden.libp2p.dial(relay.multiaddrs)

    await expect.poll(addresses, PATIENCE).toContain('p2p-circuit')
  })
})
