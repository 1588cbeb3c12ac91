import type { DHT } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import { describe, expect, it, vi } from 'vitest'
import { PATIENCE } from '../support/libp2p-node.ts'
import { PeerProcess } from '../support/peer-process.ts'

/** Milliseconds of a request timeout, longer than any call. */
const REQUEST_TIMEOUT_MS = 120_000
const CALLS = 10
const TEST = { timeout: 110_000 }
const OPTIONS = { requestTimeoutMs: REQUEST_TIMEOUT_MS, cache: false } as const

/** Entries of a write that exceeds the buffers on the way to a peer. */
const ENTRIES = 300
const VALUE = 'x'.repeat(16 * 1024)
const keys = Array.from({ length: ENTRIES }, (_, i) => ['bulk', i])
const BULK = { timeoutMs: REQUEST_TIMEOUT_MS }

describe('a peer that is frozen', () => {
  it(
    'costs one request at most, stores and reads alike, and gets what was stored (N8n)',
    TEST,
    async () => {
      await using net = await testnet(4, OPTIONS)
      const [node] = net.nodes as [DHT, ...DHT[]]
      await using frozen = await PeerProcess.start({ initialPeers: node.multiaddrs.map(String) })
      await vi.waitUntil(() => net.nodes.every(({ peers }) => peers.length === 4), PATIENCE)
      await vi.waitUntil(async () => (await frozen.stats()).peers === 4, PATIENCE)
      expect(await node.store('before', true, { ttl: 600 })).toBe(true)
      frozen.suspend()

      for (let i = 0; i < CALLS; i++) {
        expect(await node.store(['meanwhile', i], i, { ttl: 600 })).toBe(true)
        expect(await node.get(['never', i])).toBeUndefined()
        expect(await node.get('before', { latest: true })).toMatchObject({ value: true })
      }

      frozen.resume()
      // The node receives all stores sent meanwhile before it asks a peer.
      await vi.waitUntil(async () => (await frozen.stats()).records > CALLS, PATIENCE)
    }
  )
})

describe.each([
  ['Waggle peers', false],
  ['plain kad-dht peers', true]
])('%s that are frozen amid bulk', (_, isPlain) => {
  it('hold up neither what is stored nor what is read (N8n)', TEST, async () => {
    await using net = await testnet(4, OPTIONS)
    const [node] = net.nodes as [DHT, ...DHT[]]
    const initialPeers = node.multiaddrs.map(String)
    await using first = await PeerProcess.start({ initialPeers }, { isPlain })
    await using second = await PeerProcess.start({ initialPeers }, { isPlain })
    await vi.waitUntil(() => node.stats().knownPeers === 5, PATIENCE)

    function* entries() {
      for (const [i, key] of keys.entries()) {
        if (i === ENTRIES / 2) {
          first.suspend()
          second.suspend()
        }

        yield { key, value: VALUE, ttl: 600 }
      }
    }

    expect(await node.storeMany(entries(), BULK)).toEqual(keys.map(() => true))
    first.resume()
    second.resume()

    let found = 0
    const onProgress = (): void => {
      if (++found === ENTRIES / 10) {
        first.suspend()
        second.suspend()
      }
    }
    await using reader = await net.add({ ...OPTIONS, clientMode: true })
    await vi.waitUntil(() => reader.stats().knownPeers === 6, PATIENCE)
    const all = await reader.getMany(keys, { ...BULK, onProgress })
    expect(all.filter((found) => found?.value === VALUE)).toHaveLength(ENTRIES)
  })
})
