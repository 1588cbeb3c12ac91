import type { KadDHT } from '@libp2p/kad-dht'
import { describe, expect, it } from 'vitest'
import { internalsOf } from '../../src/kad/internals.ts'

const network = { sendRequest: () => {} }
const routingTable = { closestPeers: () => [] }
const rpc = { handleMessage: () => {} }

function kad(parts: object): KadDHT {
  return parts as KadDHT
}

describe('internalsOf', () => {
  it('gives the same object when all that is used of kad-dht is there', () => {
    const supported = kad({ network, routingTable, rpc })

    expect(internalsOf(supported)).toBe(supported)
  })

  it.each([
    {},
    { network },
    { routingTable },
    { network, routingTable },
    { network: {}, routingTable, rpc },
    { network, routingTable: {}, rpc },
    { network: { sendRequest: 1 }, routingTable, rpc },
    { network, routingTable, rpc: {} }
  ])('refuses a kad-dht of other parts: %j', (parts) => {
    expect(() => internalsOf(kad(parts))).toThrow(
      'this version of @libp2p/kad-dht is not supported'
    )
  })
})
