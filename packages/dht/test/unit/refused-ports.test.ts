import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { RefusedPorts } from '../../src/transport/refused-ports.ts'

const TCP = multiaddr('/ip4/127.0.0.1/tcp/4001')
const WEBSOCKET = multiaddr('/ip4/127.0.0.1/tcp/4001/ws')
const REFUSED = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })

describe('RefusedPorts', () => {
  it('spares a WebSocket the port that has just refused TCP', () => {
    let nowMs = 0
    const ports = new RefusedPorts(() => nowMs)
    ports.record(TCP, REFUSED)

    expect(() => ports.assertOpen(WEBSOCKET)).toThrow(REFUSED)
    nowMs = 999
    expect(() => ports.assertOpen(WEBSOCKET)).toThrow(REFUSED)
    nowMs = 1000
    expect(() => ports.assertOpen(WEBSOCKET)).not.toThrow()
  })

  it('takes no other port and no other error for it', () => {
    const ports = new RefusedPorts(() => 0)
    ports.record(TCP, new Error('the peer is another one'))
    ports.record(TCP, Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
    ports.record(multiaddr('/ip4/127.0.0.1/tcp/4002'), REFUSED)
    ports.record(multiaddr('/ip4/127.0.0.2/tcp/4001'), REFUSED)

    expect(() => ports.assertOpen(WEBSOCKET)).not.toThrow()
  })
})
