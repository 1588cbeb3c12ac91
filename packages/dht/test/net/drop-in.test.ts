import type { Libp2p } from '@libp2p/interface'
import { DHT, getDHTTime, type Key, waggle, waggleKadDHT } from '@waggle/dht'
import { type Testnet, testnet } from '@waggle/dht/testnet'
import {
  type DHTRecord,
  decodeRecord,
  encodeRecord,
  plainRecord,
  recordKey,
  subkeyRecord,
  view
} from '@waggle/record'
import { DEFAULT_LIMITS, encodeValue, lastExpiration, subkeyId } from '@waggle/record/replica'
import type { Datastore } from 'interface-datastore'
import { fromString } from 'uint8arrays/from-string'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { subkeysOf } from '../support/found.ts'
import { acquaint, basicServices, libp2pNode, PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'
import { heldBy, putAt } from '../support/replica.ts'
import { type StockNode, stockNode } from '../support/stock-node.ts'

/** Writes as an application without our service, which shares records with us. */
async function put(node: Libp2p, key: Key, record: DHTRecord): Promise<void> {
  await node.contentRouting.put(recordKey(key), encodeRecord(record))
}

async function get(node: Libp2p, key: Key): Promise<ReturnType<typeof view>> {
  return view(decodeRecord(await node.contentRouting.get(recordKey(key))))
}

describe('a network of stock nodes and ours', () => {
  let net: Testnet
  let stock: StockNode[]

  beforeAll(async () => {
    net = await testnet(3, UNHURRIED)
    stock = await Promise.all([stockNode(), stockNode()])
    await acquaint(...stock, ...net.nodes.map(({ libp2p }) => libp2p))
  })

  afterAll(async () => {
    await net?.stop()
    await Promise.all((stock ?? []).map((node) => node.stop()))
  })

  function party(...guests: [name: string, answer: string][]): DHTRecord[] {
    return guests.map(([name, answer], i) => subkeyRecord(name, answer, partyEnd + i))
  }

  const partyEnd = getDHTTime() + 600

  it('reads by a stock node what ours stored (N1)', async () => {
    const expirationTime = getDHTTime() + 600.125
    await net.nodes[0]?.store('plain', { n: 1 }, { expirationTime })

    for (const node of stock) {
      expect(await get(node, 'plain')).toEqual({ value: { n: 1 }, expirationTime })
    }
  })

  it('reads by ours what a stock node stored (N1)', async () => {
    const expirationTime = getDHTTime() + 600.125
    await put(stock[0] as StockNode, 'from stock', plainRecord([1, 'two'], expirationTime))

    for (const node of net.nodes) {
      expect(await node.get('from stock')).toEqual({ value: [1, 'two'], expirationTime })
      expect(await node.get('from stock', { latest: true })).toEqual({
        value: [1, 'two'],
        expirationTime
      })
    }
  })

  it('reads by a stock node a dictionary that all of ours wrote (N1)', async () => {
    for (const [i, node] of net.nodes.entries()) {
      await node.store('party', 'yes', { subkey: `guest ${i}`, expirationTime: partyEnd + i })
    }

    for (const node of stock) {
      expect(await get(node, 'party')).toEqual({
        value: new Map(
          net.nodes.map((_, i) => [`guest ${i}`, { value: 'yes', expirationTime: partyEnd + i }])
        ),
        expirationTime: partyEnd + 2
      })
    }
  })

  it('reads by ours a dictionary that stock nodes and ours wrote (N1, N2)', async () => {
    const [first, second] = party(['alice', 'yes'], ['bob', 'no']) as [DHTRecord, DHTRecord]
    await put(stock[0] as StockNode, 'mixed party', first)
    await put(stock[1] as StockNode, 'mixed party', second)
    await net.nodes[0]?.store('mixed party', 'yes', {
      subkey: 'carol',
      expirationTime: partyEnd + 2
    })

    for (const node of net.nodes) {
      expect(await node.get('mixed party', { latest: true })).toEqual({
        value: new Map([
          ['alice', { value: 'yes', expirationTime: partyEnd }],
          ['bob', { value: 'no', expirationTime: partyEnd + 1 }],
          ['carol', { value: 'yes', expirationTime: partyEnd + 2 }]
        ]),
        expirationTime: partyEnd + 2
      })
    }
  })

  it('keeps the newer value at each of ours, and reads it, when a stock node puts an older one (N2)', async () => {
    const expirationTime = getDHTTime() + 600
    const newer = { value: 'newer', expirationTime }
    expect(await net.nodes[0]?.store('stale', 'newer', { expirationTime })).toBe(true)

    for (const node of stock) {
      await put(node, 'stale', plainRecord('older', expirationTime - 100))
    }

    for (const [i, node] of net.nodes.entries()) {
      const asker = stock[i % 2] as StockNode
      expect(await heldBy(node, 'stale', asker)).toEqual(plainRecord('newer', expirationTime))
      expect(await node.get('stale')).toEqual(newer)
      expect(await node.get('stale', { latest: true })).toEqual(newer)
    }
  })

  it('loses nothing at ours of what stock nodes put at one moment (N2)', async () => {
    for (let round = 0; round < 20; round++) {
      const key = `round ${round}`
      const expirationTime = getDHTTime() + 600
      const records = stock.map((_, i) => subkeyRecord(i, i, expirationTime))
      await Promise.all(stock.map((node, i) => put(node, key, records[i] as DHTRecord)))

      for (const node of net.nodes) {
        const held = await heldBy(node, key, stock[0] as StockNode)
        expect([...(held?.subkeys.keys() ?? [])]).toEqual([subkeyId(0), subkeyId(1)])
      }
    }
  })

  it('merges at the stock nodes, too, what ours store one after another (N2)', async () => {
    for (const [i, node] of net.nodes.entries()) {
      await node.store('merged', i, { subkey: i, ttl: 600 })
    }

    for (const [i, node] of stock.entries()) {
      const held = await heldBy(node, 'merged', stock[1 - i] as StockNode)
      expect(held?.subkeys.size).toBe(net.nodes.length)
    }
  })

  it('repairs a stock node that overwrote what it held (N5)', async () => {
    const [ours, other] = net.nodes as [DHT, DHT]
    const overwritten = stock[0] as StockNode
    await ours.store('repair', 1, { subkey: 'ours', ttl: 600 })
    await put(overwritten, 'repair', subkeyRecord('theirs', 2, getDHTTime() + 600))
    expect((await heldBy(overwritten, 'repair', ours.libp2p))?.subkeys.size).toBe(1)

    const found = await other.get('repair', { latest: true })
    expect(subkeysOf(found)).toEqual(['ours', 'theirs'])
    await expect
      .poll(async () => (await heldBy(overwritten, 'repair', ours.libp2p))?.subkeys.size, PATIENCE)
      .toBe(2)
  })

  it('takes nothing from ours that the record rules refuse (N9a)', async () => {
    const [node] = net.nodes as [DHT]
    const key = recordKey('never stored')
    const far = encodeRecord(plainRecord('far', getDHTTime() + 366 * 86_400))

    for (const bytes of [Uint8Array.of(1, 2, 3), new Uint8Array(), far]) {
      await node.libp2p.contentRouting.put(key, bytes).catch(() => {})
    }

    expect(await node.get('never stored', { latest: true })).toBeUndefined()
    expect(await heldBy(net.nodes[1] as DHT, 'never stored', node.libp2p)).toBeUndefined()
    expect(await heldBy(stock[0] as StockNode, 'never stored', node.libp2p)).toBeUndefined()
  })
})

describe("an application's own node", () => {
  const protocol = '/my-app/kad/1.0.0'

  function appNode() {
    return libp2pNode({
      ...basicServices(),
      dht: waggleKadDHT({ protocol }),
      waggle: waggle()
    })
  }

  it('is a peer of its network by DHT.create, and goes on when that DHT stops', async () => {
    await using node = await appNode()
    await using peer = await DHT.create({ protocol })
    const dht = await DHT.create({
      libp2p: node,
      initialPeers: peer.multiaddrs
    })

    expect(dht.libp2p).toBe(node)
    expect(await dht.store('key', 'value', { ttl: 600 })).toBe(true)
    expect(await peer.get('key', { latest: true })).toMatchObject({ value: 'value' })

    await dht.stop()
    await expect(dht.get('key')).rejects.toMatchObject({ name: 'AbortError' })
    expect(node.status).toBe('started')
    expect(node.getPeers().map(String)).toEqual([peer.peerId.toString()])

    await using again = await DHT.create({ libp2p: node })
    expect(await again.get('key', { latest: true })).toMatchObject({ value: 'value' })
    expect(await heldBy(node, 'key', peer.libp2p)).toBeDefined()
  })

  it('takes no part in a network of another protocol', async () => {
    await using node = await appNode()
    await using stranger = await DHT.create()
    await using dht = await DHT.create({ libp2p: node })
    await node.dial(stranger.multiaddrs)
    await stranger.store('key', 'theirs', { ttl: 600 })

    await expect
      .poll(async () => (await node.peerStore.get(stranger.peerId)).protocols, PATIENCE)
      .toContain('/waggle/kad/1.0.0')
    expect(dht.stats().knownPeers).toBe(0)
    expect(await dht.get('key', { latest: true })).toBeUndefined()
  })

  it('may name its services in any order', async () => {
    await using node = await libp2pNode({
      waggle: waggle(),
      dht: waggleKadDHT({ protocol }),
      ...basicServices()
    })
    await using peer = await DHT.create({ protocol, initialPeers: node.getMultiaddrs() })
    await using dht = await DHT.create({ libp2p: node })

    expect(await dht.store('key', 1, { ttl: 600 })).toBe(true)
    expect(await peer.get('key')).toMatchObject({ value: 1 })
  })

  it('works again after it was stopped and started', async () => {
    await using node = await appNode()
    await using peer = await DHT.create({ protocol })
    const before = await DHT.create({ libp2p: node, initialPeers: peer.multiaddrs })
    await before.store('key', 'before', { ttl: 600 })
    await node.stop()
    await expect(before.get('key')).rejects.toMatchObject({ name: 'AbortError' })
    await node.start()

    await using dht = await DHT.create({ libp2p: node, initialPeers: peer.multiaddrs })
    expect(await dht.get('key', { latest: true })).toMatchObject({ value: 'before' })
  })

  it('stores and gets by contentRouting what DHT stores and gets (N1)', async () => {
    await using a = await appNode()
    await using b = await appNode()
    await acquaint(a, b)
    await using dht = await DHT.create({ libp2p: b })
    const expirationTime = getDHTTime() + 600
    await put(a, 'by routing', plainRecord('both ways', expirationTime))

    expect(await dht.get('by routing')).toEqual({ value: 'both ways', expirationTime })
    expect(await dht.store('by DHT', 'both ways', { expirationTime })).toBe(true)
    expect(await get(a, 'by DHT')).toEqual({ value: 'both ways', expirationTime })
  })
})

describe('waggleKadDHT with limits of its own', () => {
  const maxSubkeys = DEFAULT_LIMITS.maxSubkeys + 1
  const limits = { ...DEFAULT_LIMITS, maxSubkeys }

  /** Makes a record with as many subkeys as these limits allow, which exceed the default ones. */
  function crowded(expirationTime: number): DHTRecord {
    const ids = Array.from({ length: maxSubkeys }, (_, i) => subkeyId(`${i}`)).sort()
    return { subkeys: new Map(ids.map((id) => [id, { expirationTime, value: encodeValue(1) }])) }
  }

  it('selects by these the best record that is found (N1, R12)', async () => {
    const appNode = () =>
      libp2pNode({ ...basicServices(), dht: waggleKadDHT({ records: { limits: { maxSubkeys } } }) })
    await using one = await appNode()
    await using other = await appNode()
    await acquaint(one, other)
    const [older, newer] = [600, 700].map((ttl) => crowded(getDHTTime() + ttl))
    await putAt(one, 'party', older as DHTRecord, other)
    await putAt(other, 'party', newer as DHTRecord, one)

    const found = await one.contentRouting.get(recordKey('party'))
    expect(lastExpiration(decodeRecord(found, limits))).toBe(lastExpiration(newer as DHTRecord))
  })

  it('keeps the default ones that are left out, or undefined (R12)', async () => {
    await using node = await libp2pNode({
      ...basicServices(),
      dht: waggleKadDHT({ records: { limits: { maxSubkeys, maxTtl: undefined } } }),
      waggle: waggle()
    })
    await using dht = await DHT.create({ libp2p: node })

    const endless = dht.store('key', 1, { ttl: DEFAULT_LIMITS.maxTtl + 1 })
    await expect(endless).rejects.toThrow(/at most 2592000 are allowed/)
    const large = dht.store('key', new Uint8Array(DEFAULT_LIMITS.maxValueBytes), { ttl: 600 })
    await expect(large).rejects.toMatchObject({ name: 'RecordTooLargeError' })
  })
})

describe('waggleKadDHT beside other records', () => {
  const key = new TextEncoder().encode('/my-ns/counter')

  /** The application's own rules: a record is one digit, and the greatest wins. */
  const ownRules = {
    validators: {
      'my-ns': async (_: Uint8Array, [digit = 0, ...more]: Uint8Array) => {
        if (digit > 9 || more.length > 0) {
          throw new Error('not a digit')
        }
      }
    },
    selectors: {
      'my-ns': (_: Uint8Array, values: Uint8Array[]) =>
        values.findIndex(([digit = 0]) => values.every(([other = 0]) => digit >= other))
    }
  }

  async function appNode() {
    const datastores: Datastore[] = []
    const node = await libp2pNode({
      ...basicServices(),
      dht: (components: Parameters<ReturnType<typeof waggleKadDHT>>[0]) => {
        datastores.push(components.datastore)
        return waggleKadDHT(ownRules)(components)
      },
      waggle: waggle()
    })
    return Object.assign(node, { datastore: datastores[0] as Datastore })
  }

  it('keeps the rules and the records of other namespaces', async () => {
    await using a = await appNode()
    await using b = await appNode()
    await acquaint(a, b)
    await a.contentRouting.put(key, Uint8Array.of(7))
    expect(await b.contentRouting.get(key)).toEqual(Uint8Array.of(7))

    // Overwritten as kad-dht does: merging is for our records only.
    await b.contentRouting.put(key, Uint8Array.of(3))
    expect(await a.contentRouting.get(key)).toEqual(Uint8Array.of(3))

    await a.contentRouting.put(key, Uint8Array.of(10)).catch(() => {})
    expect(await b.contentRouting.get(key)).toEqual(Uint8Array.of(3))
  })

  it("leaves all but our records in the node's own datastore", async () => {
    await using a = await appNode()
    await using b = await appNode()
    await acquaint(a, b)
    await using dht = await DHT.create({ libp2p: a })
    await dht.store('ours', 1, { ttl: 600 })
    await a.contentRouting.put(key, Uint8Array.of(1))

    for (const { datastore } of [a, b]) {
      const [name = '', ...others] = await namesIn(datastore, '/dht/record')
      expect(fromString(name.slice('/dht/record/'.length), 'base32')).toEqual(key)
      expect(others).toEqual([])
      expect(await namesIn(datastore, '/peers')).not.toEqual([])
    }
  })

  async function namesIn(datastore: Datastore, prefix: string): Promise<string[]> {
    const names: string[] = []

    for await (const name of datastore.queryKeys({ prefix })) {
      names.push(name.toString())
    }

    return names
  }
})
