import type { PeerId } from '@libp2p/interface'
import { DHT, UnreachableError } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import { recordKey } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'

const KEYS = Array.from({ length: 40 }, (_, i) => `key ${i}`)
/** Options without gateways, which would reach the replicas that a client does not. */
const OPTIONS = { ...UNHURRIED, numReplicas: 3, serveGateway: false }

/** Starts a client that cannot dial some peers. */
function clientWithout(
  unreachable: () => readonly PeerId[],
  initialPeers: DHT['multiaddrs']
): Promise<DHT> {
  return DHT.create({
    ...{ ...OPTIONS, clientMode: true, initialPeers },
    libp2pOptions: {
      connectionGater: {
        denyDialPeer: (peer) => unreachable().some((one) => one.equals(peer))
      }
    }
  })
}

describe('a client that reaches 3 of 8 servers', () => {
  it('finds a value or hears that servers are unreachable, and never that nothing is there (N11a)', async () => {
    await using net = await testnet(8, OPTIONS)
    const [writer] = net.nodes as [DHT, ...DHT[]]
    await writer.storeMany(
      KEYS.map((key) => ({ key, value: key })),
      { ttl: 600 }
    )
    const hidden = net.nodes.slice(3).map(({ peerId }) => peerId)
    await using client = await clientWithout(
      () => hidden,
      net.nodes.slice(0, 3).flatMap(({ multiaddrs }) => multiaddrs)
    )
    const outcomes = await Promise.allSettled(KEYS.map((key) => client.get(key)))

    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.status === 'rejected') {
        expect(outcome.reason).toBeInstanceOf(UnreachableError)
      } else {
        expect(outcome.value?.value).toBe(KEYS[i])
      }
    }
  })
})

describe('a watch whose servers cannot be reached', () => {
  it('says so, and says when they can be again (N11b)', async () => {
    await using net = await testnet(3, OPTIONS)
    let hidden = net.nodes.slice(1).map(({ peerId }) => peerId)
    await using client = await clientWithout(() => hidden, net.nodes[0]?.multiaddrs ?? [])
    const heard: string[] = []
    const loop = client.watch('key', { onProgress: ({ name }) => heard.push(name) })
    const ended = loop.next().catch(() => {})

    await expect.poll(() => heard, PATIENCE).toEqual(['unreachable'])
    hidden = []
    await expect.poll(() => heard, PATIENCE).toEqual(['unreachable', 'reachable'])
    await loop.return?.()
    await ended
  })
})

describe('a server whose only peer', () => {
  it('has left says what is absent (N11a)', async () => {
    await using net = await testnet(2, OPTIONS)
    const [a, b] = net.nodes as [DHT, DHT]
    await b.stop()

    await expect
      .poll(() => a.get('nothing').then((found) => found ?? 'absent'), PATIENCE)
      .toBe('absent')
  })

  it('has crashed, so that nobody listens there, says what is absent (N11a)', async () => {
    await using net = await testnet(2, OPTIONS)
    const [a, b] = net.nodes as [DHT, DHT]
    // As the kernel ends the connections of a process that is killed.
    for (const connection of b.libp2p.getConnections()) {
      connection.abort(new Error('killed'))
    }

    await b.libp2p.stop()
    await expect
      .poll(() => a.get('nothing').then((found) => found ?? 'absent', String), PATIENCE)
      .toBe('absent')
  })
})

describe('contentRouting.get of waggleKadDHT', () => {
  it('tells an absent key from one whose servers do not answer (N11a)', async () => {
    await using net = await testnet(8, OPTIONS)
    const hidden = net.nodes.slice(1).map(({ peerId }) => peerId)
    await using client = await clientWithout(() => hidden, net.nodes[0]?.multiaddrs ?? [])
    const key = recordKey('nothing')
    const reasons = async (dht: DHT): Promise<string[]> => {
      const error = await dht.libp2p.contentRouting.get(key).catch((error) => error)
      return error.errors.map(({ name }: Error) => name)
    }

    expect(await reasons(client)).toEqual(['UnreachableError'])
    expect(await reasons(net.nodes[7] as DHT)).toEqual(['NotFoundError'])
  })
})
