import { DHT, type Key } from '@waggle/dht'
import { decodeRecord, recordKey, view } from '@waggle/record'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { buildGoPeer, GO_BUILD_MS, GoPeer, hasGo } from '../support/go-peer.ts'
import { UNHURRIED } from '../support/libp2p-node.ts'
import { nearestFirst } from '../support/replica.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts'

const NODES = 5
const REPLICAS = 5
const STORES = 400
const PATIENCE = { timeout: 120_000, interval: 500 }
const TTL = { ttl: 3600 }

describe.skipIf(!hasGo())(
  'five nodes of Waggle and five of go-libp2p-kad-dht (skipped where Go is not installed)',
  { timeout: 600_000 },
  () => {
    let directory: TemporaryDirectory
    let program: string
    const ours: DHT[] = []
    const theirs: GoPeer[] = []

    beforeAll(async () => {
      directory = await temporaryDirectory()
      program = await buildGoPeer(directory.path)

      for (let i = 0; i < NODES; i++) {
        const initialPeers = ours.slice(0, 1).flatMap(({ multiaddrs }) => multiaddrs)
        ours.push(await DHT.create({ ...UNHURRIED, initialPeers }))
      }

      for (let i = 0; i < NODES; i++) {
        theirs.push(await GoPeer.start(program, ours.flatMap(addressOf)))
      }

      await vi.waitFor(() => {
        expect(ours.map((node) => node.stats().knownPeers)).toEqual(ours.map(() => 2 * NODES - 1))
      }, PATIENCE)
    }, GO_BUILD_MS + 120_000)

    afterAll(async () => {
      await Promise.all([...theirs, ...ours].map((peer) => peer[Symbol.asyncDispose]()))
      await directory?.[Symbol.asyncDispose]()
    })

    it('share dictionaries that all of ours add to (N1, N2)', async () => {
      const members = ours.map((_, i) => `member ${i}`)

      for (const [i, node] of ours.entries()) {
        expect(await node.store('party', i, { subkey: members[i], ...TTL })).toBe(true)
      }

      for (const node of ours) {
        const found = await node.get('party', { latest: true })
        expect(subkeysOf(found)).toEqual(members)
      }

      for (const peer of theirs) {
        const bytes = await peer.get(recordKey('party'))
        expect(subkeysOf(bytes && view(decodeRecord(bytes)))).toEqual(members)
      }
    })

    it('accept many stores at once, and have all of them (N3)', async () => {
      const [writer] = ours as [DHT, ...DHT[]]
      const keys = Array.from({ length: STORES }, (_, i) => `key ${i}`)
      const stored = await Promise.all(keys.map((key) => writer.store(key, key, TTL)))
      expect(stored.filter(Boolean)).toHaveLength(STORES)

      const byTheirs = (await Promise.all(theirs.map((peer) => peer.held()))).flat()
      const byOurs = ours.flatMap((node) => [...node.heldRecords()].map(({ key }) => hexOf(key)))
      const held = [...byTheirs, ...byOurs]
      const replicasOf = (key: Key): number => held.filter((each) => each === hexOf(key)).length
      const few = keys.filter((key) => replicasOf(key) < REPLICAS)
      expect(few).toEqual([])
    })

    it('hand over to a newcomer all that it should hold (N7)', async () => {
      await using newcomer = await GoPeer.start(program, ours.flatMap(addressOf))
      const id = newcomer.multiaddr.split('/p2p/')[1] ?? ''
      const known = ours.every.bind(ours, (node: DHT) => knows(node, id))
      await expect.poll(known, PATIENCE).toBe(true)
      const peers = (ours[0] as DHT).libp2p.getPeers()
      const due = Array.from({ length: STORES }, (_, i) => `key ${i}`).filter((key) =>
        nearestFirst(
          key,
          [...peers, (ours[0] as DHT).peerId].map((peerId) => ({ peerId }))
        )
          .slice(0, REPLICAS)
          .some(({ peerId }) => peerId.toString() === id)
      )
      expect(due.length).toBeGreaterThan(0)
      const missing = async (): Promise<string[]> => {
        const held = new Set(await newcomer.held())
        return due.filter((key) => !held.has(hexOf(key)))
      }

      await expect.poll(missing, PATIENCE).toEqual([])
    })
  }
)

function subkeysOf(found: { readonly value: unknown } | undefined): unknown[] {
  return found?.value instanceof Map ? [...found.value.keys()].sort() : []
}

function hexOf(key: Key): string {
  return Buffer.from(recordKey(key)).toString('hex')
}

function addressOf(node: DHT): string[] {
  return node.multiaddrs.map(String)
}

function knows(node: DHT, id: string): boolean {
  return node.libp2p.getPeers().some((peer) => peer.toString() === id)
}
