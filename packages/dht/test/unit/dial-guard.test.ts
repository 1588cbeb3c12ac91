import type { ConnectionManager, TransportManager } from '@libp2p/interface-internal'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { doorOf } from '../../src/door/door.ts'
import { limitedDials, withoutNames } from '../../src/node/dial-guard.ts'
import { DEFAULT_NODE_LIMITS } from '../../src/node-limits.ts'
import { MAX_DIALLED_ADDRESSES } from '../../src/wire/limits.ts'
import { peerNumber } from '../support/numbered-peers.ts'

function addresses(count: number): Multiaddr[] {
  return Array.from({ length: count }, (_, i) => multiaddr(`/ip4/44.0.0.9/tcp/${i + 1}`))
}

function scene(maxDialsPerSecond: number) {
  const events = {}
  const dialled: unknown[] = []
  const connectionManager = {
    openConnection: async (target: unknown) => dialled.push(target)
  } as unknown as ConnectionManager
  doorOf({ events }).open({
    limits: { ...DEFAULT_NODE_LIMITS, maxDialsPerSecond },
    onViolation: () => {}
  })
  return { dials: limitedDials({ connectionManager, events }), dialled }
}

describe('limitedDials', () => {
  it('dials a few of the addresses that a peer names (N13f)', async () => {
    const { dials, dialled } = scene(100)
    await dials.openConnection(addresses(25))
    expect(dialled).toEqual([addresses(MAX_DIALLED_ADDRESSES)])
  })

  it('counts them towards what the node dials in a second (N13f)', async () => {
    const { dials, dialled } = scene(4)
    await dials.openConnection(addresses(8))
    await expect(dials.openConnection(addresses(1))).rejects.toThrow('are being dialled')
    await dials.openConnection(peerNumber(1))
    expect(dialled).toHaveLength(2)
  })
})

describe('withoutNames', () => {
  const transport = {}
  const manager = withoutNames({
    dialTransportForMultiaddr: () => transport
  } as unknown as TransportManager)

  it.each(['/dns4/localhost/tcp/1', '/dns/example.com/tcp/1', '/dnsaddr/example.com'])(
    'has no way to %s (N13f)',
    (address) => {
      expect(manager.dialTransportForMultiaddr(multiaddr(address))).toBeUndefined()
    }
  )

  it('has one to an address', () => {
    expect(manager.dialTransportForMultiaddr(multiaddr('/ip4/1.2.3.4/tcp/1'))).toBe(transport)
  })
})
