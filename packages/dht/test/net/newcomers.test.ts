import { DHT } from '@waggle/dht'
import { expect, it } from 'vitest'
import { MAX_DIALS } from '../../src/discovery/merge-on-inbound.ts'
import { atEndOfTurn } from '../../src/timing/end-of-turn.ts'
import { PATIENCE } from '../support/libp2p-node.ts'

const NODES = 16
const NEWCOMERS = 4

it('dial their neighbours a few at a time, all of one process together (N10f)', {
  timeout: 60_000
}, async () => {
  await using stack = new AsyncDisposableStack()
  const nodes: DHT[] = []
  const join = async (options = {}): Promise<DHT> => {
    const initialPeers = nodes.slice(0, 1).flatMap(({ multiaddrs }) => multiaddrs)
    const node = stack.use(await DHT.create({ initialPeers, ...options }))
    nodes.push(node)
    return node
  }

  for (let i = 0; i < NODES; i++) {
    await join()
  }

  const newcomers = await Promise.all(Array.from({ length: NEWCOMERS }, () => join()))
  const dialling = () =>
    newcomers.reduce((sum, { libp2p }) => sum + libp2p.getDialQueue().length, 0)
  let most = 0
  let isWatched = true
  const watch = (): void => {
    most = Math.max(most, dialling())
    isWatched && atEndOfTurn(watch)
  }
  watch()
  const known = () => Math.min(...newcomers.map((node) => node.stats().knownPeers))
  await expect.poll(known, PATIENCE).toBe(NODES + NEWCOMERS - 1)
  isWatched = false
  expect(most).toBeGreaterThan(1)
  expect(most).toBeLessThanOrEqual(MAX_DIALS)
})
