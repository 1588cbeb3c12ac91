import process from 'node:process'
import { testnet } from '@waggle/dht/testnet'
import { describe, expect, it, vi } from 'vitest'
import { PATIENCE } from '../support/libp2p-node.ts'
import { PeerProcess } from '../support/peer-process.ts'

/** Milliseconds of a request timeout that no call has time to wait for. */
const REQUEST_TIMEOUT_MS = 120_000
const CALLS = 10

describe('a peer that is frozen', () => {
  it('costs one request at most, stores and reads alike, and gets what was stored (N8n)', {
    timeout: 110_000
  }, async () => {
    await using net = await testnet(4, { requestTimeoutMs: REQUEST_TIMEOUT_MS, cache: false })
    const [node] = net.nodes as [(typeof net.nodes)[0], ...typeof net.nodes]
    await using frozen = await PeerProcess.start({ initialPeers: node.multiaddrs.map(String) })
    await vi.waitUntil(() => net.nodes.every(({ peers }) => peers.length === 4), PATIENCE)
    await vi.waitUntil(async () => (await frozen.stats()).peers === 4, PATIENCE)
    expect(await node.store('before', true, { ttl: 600 })).toBe(true)
    process.kill(frozen.pid, 'SIGSTOP')

    for (let i = 0; i < CALLS; i++) {
      expect(await node.store(['meanwhile', i], i, { ttl: 600 })).toBe(true)
      expect(await node.get(['never', i])).toBeUndefined()
      expect(await node.get('before', { latest: true })).toMatchObject({ value: true })
    }

    process.kill(frozen.pid, 'SIGCONT')
    // All that it was sent comes before it asks anybody.
    await vi.waitUntil(async () => (await frozen.stats()).records > CALLS, PATIENCE)
  })
})
