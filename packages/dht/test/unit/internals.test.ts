import type { PeerId } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest'
import { guardRecords } from '../../src/kad/guard-records.ts'
import { internalsOf, NO_PATH } from '../../src/kad/internals.ts'
import { quietKadDHT } from '../../src/kad/quiet-kad-dht.ts'
import { Access } from '../../src/peers/access.ts'
import { peerNumber } from '../support/numbered-peers.ts'

const protocol = '/test/kad/1.0.0'
const network = { sendRequest: () => {} }
const rpc = { handleMessage: () => {} }
const querySelf = { start: () => 'searches' }
const routingTableRefresh = { afterStart: () => 'searches' }
const own = { querySelf, routingTableRefresh }
const routingTable = {
  ...{ size: 5, kBucketSize: 20, populateFromDatastoreOnStart: true },
  ...{ closestPeers: () => [], find: async () => undefined, queueRoutingTableUpdate: () => {} },
  closestPeerTagger: { start: () => 'tags' }
}

class Kad {
  readonly #mode = 'server'

  constructor(parts: object) {
    Object.assign(this, parts)
  }

  getMode(): string {
    return this.#mode
  }
}

function kad(parts: object): KadDHT {
  return new Kad(parts) as unknown as KadDHT
}

describe('internalsOf', () => {
  let warning: MockInstance

  beforeEach(() => {
    warning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  })

  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('gives the same object when all that is used of kad-dht is there', () => {
    const supported = kad({ protocol, network, routingTable, rpc, ...own })

    expect(internalsOf(supported)).toBe(supported)
    expect(warning).not.toHaveBeenCalled()
  })

  it.each([
    [{}, ['protocol', 'plain kad-dht', 'allowPeer', 'it dials each', 'it searches']],
    [{ protocol, network, routingTable, ...own }, ['allowPeer']],
    [{ protocol: 5, network, routingTable, rpc, ...own }, ['protocol']],
    [{ protocol, network: {}, routingTable, rpc, ...own }, ['plain kad-dht peers are not asked']],
    [{ protocol, network, routingTable: {}, rpc, ...own }, ['it dials each peer']],
    [
      { protocol, network, routingTable: { ...routingTable, size: '5' }, rpc, ...own },
      ['it dials each peer']
    ],
    [{ protocol, network: { sendRequest: 1 }, routingTable, rpc, ...own }, ['plain kad-dht']],
    [{ protocol, network, routingTable, rpc: {}, ...own }, ['allowPeer can not be enforced']],
    [{ protocol, network, routingTable, rpc, routingTableRefresh }, ['for this node on its own']],
    [{ protocol, network, routingTable, rpc, querySelf }, ['for other peers on its own']]
  ])('does without parts of another shape, and warns once: %j', async (parts, losses) => {
    const used = internalsOf(kad(parts), { protocol })

    expect(warning).toHaveBeenCalledTimes(1)
    expect(losses.filter((loss) => !String(warning.mock.calls[0]?.[0]).includes(loss))).toEqual([])
    expect(used.getMode()).toBe('server')
    expect(used.protocol).toBe(protocol)
    // The remaining parts can still be quieted.
    quietKadDHT(used, { size: 1, has: () => true, closestPeers: () => [peerNumber(2)] })
    expect(used.routingTable.closestPeers(new Uint8Array(32), { count: 20 })).toHaveLength(1)

    if (Reflect.get(parts, 'network') !== network) {
      const asked = used.network.sendRequest(
        peerNumber(1),
        { type: 'GET_VALUE' as never, key: new Uint8Array(1) },
        { path: NO_PATH }
      )
      await expect(asked[Symbol.asyncIterator]().next()).rejects.toThrow('can not be asked')
    }
  })

  it('leaves the access rules unbroken: without the part that enforces them nothing starts (N9i)', () => {
    const used = internalsOf(kad({ protocol, network, routingTable }), { protocol })
    const { signal } = new AbortController()

    expect(() => guardRecords(used, new Access(), signal)).not.toThrow()
    expect(() => guardRecords(used, new Access(() => true), signal)).toThrow('allowPeer')
  })
})

describe('quietKadDHT', () => {
  const peers = [1, 2, 3].map(peerNumber)
  const routing = {
    size: peers.length,
    has: (peer: PeerId) => peers.includes(peer),
    closestPeers: (_: Uint8Array, count: number) => peers.slice(0, count)
  }

  it('gives kad-dht the routing table of the node, for all that it looks for there (N10c)', async () => {
    const used = internalsOf(kad({ protocol, network, rpc, ...fresh() }))
    quietKadDHT(used, routing)
    const { routingTable: table } = used
    const [first, second] = peers as [PeerId, PeerId]

    expect(table.size).toBe(3)
    expect(table.closestPeers(new Uint8Array(32))).toEqual(peers)
    expect(table.closestPeers(new Uint8Array(32), { count: 1, exclude: [first] })).toEqual([second])
    expect(await table.find(second)).toBe(second)
    expect(await table.find(peerNumber(9))).toBeUndefined()
  })

  it('stops all that kad-dht does on its own, again when the node starts again (N10c)', () => {
    const resolve = vi.fn()
    const parts = fresh()
    Object.assign(parts.querySelf, { initialQuerySelfHasRun: { resolve } })
    const used = internalsOf(kad({ protocol, network, rpc, ...parts }))
    quietKadDHT(used, routing)
    quietKadDHT(used, routing)

    expect(used.routingTable.populateFromDatastoreOnStart).toBe(false)
    expect(used.routingTable.closestPeerTagger.start()).toBeUndefined()
    expect(used.querySelf.start()).toBeUndefined()
    expect(used.routingTableRefresh.afterStart()).toBeUndefined()
    expect(resolve).toHaveBeenCalled()
  })

  /** Makes parts that no other test has changed. */
  function fresh(): Record<'routingTable' | 'querySelf' | 'routingTableRefresh', object> {
    return {
      routingTable: { ...routingTable, closestPeerTagger: { start: () => 'tags' } },
      querySelf: { ...querySelf },
      routingTableRefresh: { ...routingTableRefresh }
    }
  }
})
