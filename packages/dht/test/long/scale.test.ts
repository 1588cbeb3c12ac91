import { setMaxListeners } from 'node:events'
import process from 'node:process'
import { DHT } from '@waggle/dht'
import { describe, expect, it } from 'vitest'

/** Milliseconds until the effects of a join are over. */
const SETTLE_MS = 45_000

/** Milliseconds for which nodes are left alone. */
const IDLE_MS = 30_000
const OPERATIONS = 100

function pick<T>(items: readonly T[]): T {
  return items[Math.floor(Math.random() * items.length)] as T
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

/** Processor time of this process, in ms. */
function usedMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

describe('a network that outgrows the connections of its nodes', () => {
  it.each([
    [60, 30],
    [100, 40],
    [150, 24]
  ])(
    'of %i nodes with %i connections each is joined, idle, and read without error (N10a, N10f, N10g)',
    { timeout: 1_800_000 },
    async (size, maxConnections) => {
      setMaxListeners(0)
      const connectionManager = { maxConnections }
      const nodes: DHT[] = []

      try {
        for (let i = 0; i < size; i++) {
          const initialPeers = i === 0 ? [] : [pick(nodes), pick(nodes)].map(addressOf)
          nodes.push(await DHT.create({ initialPeers, libp2pOptions: { connectionManager } }))
        }

        await pause(SETTLE_MS)
        let opened = 0

        for (const { libp2p } of nodes) {
          libp2p.addEventListener('connection:open', ({ detail }) => {
            opened += Number(detail.direction === 'outbound')
          })
        }

        const before = usedMs()
        await pause(IDLE_MS)
        expect(opened / size).toBeLessThanOrEqual(IDLE_MS / 60_000)
        expect((usedMs() - before) / IDLE_MS / size).toBeLessThan(0.003)

        for (let i = 0; i < OPERATIONS; i++) {
          expect(await pick(nodes).store(['key', i], i, { ttl: 600 })).toBe(true)
          expect(await pick(nodes).get(['key', i])).toMatchObject({ value: i })
          expect(await pick(nodes).get(['key', i], { latest: true })).toMatchObject({ value: i })
        }

        const most = Math.max(...nodes.map(({ libp2p }) => libp2p.getConnections().length))
        expect(most).toBeLessThanOrEqual(maxConnections)
      } finally {
        await Promise.all(nodes.map((node) => node.stop()))
      }
    }
  )
})

function addressOf({ multiaddrs }: DHT): string {
  return String(multiaddrs[0])
}
