import type { KadDHT } from '@libp2p/kad-dht'
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest'
import { guardRecords } from '../../src/kad/guard-records.ts'
import { internalsOf, NO_PATH } from '../../src/kad/internals.ts'
import { Access } from '../../src/peers/access.ts'
import { peerNumber } from '../support/numbered-peers.ts'

const protocol = '/test/kad/1.0.0'
const network = { sendRequest: () => {} }
const routingTable = { size: 5, closestPeers: () => [], addEventListener: () => {} }
const rpc = { handleMessage: () => {} }

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
    const supported = kad({ protocol, network, routingTable, rpc })

    expect(internalsOf(supported)).toBe(supported)
    expect(warning).not.toHaveBeenCalled()
  })

  it.each([
    [{}, ['protocol', 'plain kad-dht', 'allowPeer', 'only connected']],
    [{ protocol, network, routingTable }, ['allowPeer']],
    [{ protocol: 5, network, routingTable, rpc }, ['protocol']],
    [{ protocol, network: {}, routingTable, rpc }, ['plain kad-dht peers are not asked']],
    [{ protocol, network, routingTable: {}, rpc }, ['only connected peers are known']],
    [{ protocol, network, routingTable: { ...routingTable, size: '5' }, rpc }, ['only connected']],
    [{ protocol, network: { sendRequest: 1 }, routingTable, rpc }, ['plain kad-dht']],
    [{ protocol, network, routingTable, rpc: {} }, ['allowPeer can not be enforced']]
  ])('does without parts of another shape, and warns once: %j', async (parts, losses) => {
    const used = internalsOf(kad(parts), { protocol })

    expect(warning).toHaveBeenCalledTimes(1)
    expect(losses.filter((loss) => !String(warning.mock.calls[0]?.[0]).includes(loss))).toEqual([])
    expect(used.getMode()).toBe('server')
    expect(used.protocol).toBe(protocol)
    expect(used.routingTable.closestPeers(new Uint8Array(32), { count: 20 })).toEqual([])
    used.routingTable.addEventListener('peer:add', () => {})

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
