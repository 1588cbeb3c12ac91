import type { DHT } from '@waggle/dht'
import { type Testnet, testnet } from '@waggle/dht/testnet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { POLL_MS } from '../../src/watch/limits.ts'
import { type Collected, collected } from '../support/collected.ts'
import { PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'

const NODES = 14
const WATCHERS = 12

/** For half of the watchers. */
const PLACES = 6

describe('a key that more nodes watch than replicas have room for', () => {
  let net: Testnet
  let clients: DHT[]

  beforeAll(async () => {
    net = await testnet(NODES, { ...UNHURRIED, limits: { maxWatchersPerKey: PLACES } })
    clients = await Promise.all(
      Array.from({ length: WATCHERS }, () => net.add({ clientMode: true }))
    )
  })

  afterAll(() => net?.stop())

  /** Peers that notify of keys. */
  function telling(): number {
    return net.nodes.filter((node) => node.stats().watchedForOthers > 0).length
  }

  it('is told to all of them, by relays where it has to be (N10h)', async () => {
    const [writer] = net.nodes as [DHT]
    await writer.store('hot', 0, { ttl: 600 })
    const loops: Collected[] = clients.map((client) => collected(client.watch('hot')))
    expect(await Promise.all(loops.map((loop) => loop.nextValue()))).toEqual(
      new Array(WATCHERS).fill(0)
    )
    await expect.poll(telling, PATIENCE).toBeGreaterThan(7)

    const before = performance.now()

    for (let round = 1; round <= 3; round++) {
      await writer.store('hot', round, { ttl: 600 + round })
      const heard = await Promise.all(loops.map((loop) => loop.nextValue()))
      console.log(performance.now() - before)
      expect(heard).toEqual(new Array(WATCHERS).fill(round))
    }

    // Nobody has to ask every five seconds.
    expect(performance.now() - before).toBeLessThan(3 * POLL_MS)
  })
})
