import type { Connection } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { describe, expect, it } from 'vitest'
import { isConnectedTo } from '../../src/peers/connect.ts'
import { peerNumber } from '../support/numbered-peers.ts'

const peer = peerNumber(1)

/** Has one connection to the peer, of the given properties. */
function manager(connection: Partial<Connection>): ConnectionManager {
  const getConnections = (id: unknown) => (id === peer ? [connection as Connection] : [])
  return { getConnections } as unknown as ConnectionManager
}

describe('isConnectedTo', () => {
  it('is true while a direct connection is open', () => {
    expect(isConnectedTo(manager({ status: 'open' }), peer)).toBe(true)
    expect(isConnectedTo(manager({ status: 'open' }), peerNumber(2))).toBe(false)
    expect(isConnectedTo(manager({ status: 'open', limits: { bytes: 1n } }), peer)).toBe(false)
  })

  it.each(['closing', 'closed', 'aborted', 'reset'] as const)(
    'is false for a connection that is %s, though libp2p still lists it (N8n)',
    (status) => {
      expect(isConnectedTo(manager({ status }), peer)).toBe(false)
    }
  )
})
