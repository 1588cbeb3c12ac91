import type { DHT } from '@waggle/dht'
import { type Testnet, testnet } from '@waggle/dht/testnet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Collected, collected } from '../support/collected.ts'
import { PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'

const NODES = 14
const WATCHERS = 12
const PLACES = 3

describe('a key that more peers watch than its replicas have places for', () => {
  let net: Testnet
  let servers: DHT[]
  let loops: Collected[]

  beforeAll(async () => {
    net = await testnet(NODES, { ...UNHURRIED, limits: { maxWatchersPerKey: PLACES } })
    servers = [...net.nodes]
    const clients: DHT[] = []

    while (clients.length < WATCHERS) {
      clients.push(await net.add({ clientMode: true }))
    }

    await writer().store('hot', 'first', { ttl: 600 })
    loops = clients.map((client) => collected(client.watch('hot')))
  })

  afterAll(() => net?.stop())

  /** Returns a server with no other part in the test. */
  function writer(): DHT {
    return servers[0] as DHT
  }

  function forwarders(): DHT[] {
    return servers.filter((server) => server.stats().forwardedKeys > 0)
  }

  /** Resolves when the value was delivered to each watcher. */
  async function delivered(value: string): Promise<void> {
    await Promise.all(
      loops.map(async (loop) => {
        while ((await loop.nextValue()) !== value) {}
      })
    )
  }

  it('is told to all of them, and no peer notifies more than it has places for (N10h)', async () => {
    await delivered('first')
    await expect.poll(() => forwarders().length, PATIENCE).toBeGreaterThan(1)
    await writer().store('hot', 'last', { ttl: 601 })
    await delivered('last')

    const counts = servers.map((server) => server.stats().watchedForOthers)
    expect(Math.max(...counts)).toBeLessThanOrEqual(2 * PLACES)
    expect(counts.filter((count) => count > 0).length).toBeGreaterThan(5)
  })

  it('is told to them when forwarders have died (N10h)', async () => {
    const [first, second] = forwarders().filter((server) => server !== writer()) as [DHT, DHT]
    servers = servers.filter((server) => server !== first && server !== second)
    await Promise.all([first.stop(), second.stop()])
    await writer().store('hot', 'after', { ttl: 602 })
    await delivered('after')
  })
})
