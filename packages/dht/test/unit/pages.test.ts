import type { Connection, Libp2pEvents, Stream } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { multiaddr } from '@multiformats/multiaddr'
import { TypedEventEmitter } from 'main-event'
import { describe, expect, it } from 'vitest'
import { followPeers } from '../../src/kad/follow-peers.ts'
import { MAX_PENDING_PAGES, Signalling } from '../../src/node/signalling.ts'
import { KnownPeers } from '../../src/peers/known-peers.ts'
import { isBetweenPages } from '../../src/peers/page-address.ts'
import { PeerBook } from '../../src/peers/peer-book.ts'
import { peerNumber } from '../support/numbered-peers.ts'

type Topology = Parameters<Registrar['register']>[1]

const RELAY = `/dns4/example.org/tcp/443/tls/ws/p2p/${peerNumber(1)}`

describe('an address between pages', () => {
  it.each([`/webrtc/p2p/${peerNumber(2)}`, `${RELAY}/p2p-circuit/webrtc/p2p/${peerNumber(2)}`])(
    'is %s',
    (address) => expect(isBetweenPages(multiaddr(address))).toBe(true)
  )

  it.each([RELAY, `${RELAY}/p2p-circuit/p2p/${peerNumber(2)}`, '/ip4/1.2.3.4/udp/1/webrtc-direct'])(
    'is not %s',
    (address) => expect(isBetweenPages(multiaddr(address))).toBe(false)
  )
})

describe('a peer that claims to be a server', () => {
  it('is believed on a connection that anybody could have, and not on one between pages (N15)', async () => {
    const peers = new PeerBook()
    const known = new KnownPeers({
      self: peerNumber(0),
      records: peers.records,
      addressesOf: async () => []
    })
    const topologies: Topology[] = []
    const registrar = {
      register: async (_: string, topology: Topology) => String(topologies.push(topology)),
      unregister: () => {}
    } as unknown as Registrar
    const events = new TypedEventEmitter<Libp2pEvents>()
    const stopping = new AbortController()
    const init = { events, known, peers, protocol: '/waggle/kad/1.0.0', registrar }
    await followPeers(init, stopping.signal)
    const connect = (n: number, address: string): unknown =>
      topologies[0]?.onConnect?.(peerNumber(n), { remoteAddr: multiaddr(address) } as Connection)
    connect(1, RELAY)
    connect(2, `/webrtc/p2p/${peerNumber(2)}`)
    expect(known.has(peerNumber(1))).toBe(true)
    expect(known.has(peerNumber(2))).toBe(false)
    expect(known.isConnected(peerNumber(2))).toBe(false)
    stopping.abort()
  })
})

/** A stream on which a page negotiates a connection. */
class SignallingStream extends EventTarget {
  status = 'open'
  remoteWriteStatus = 'writable'

  abort(): void {
    this.status = 'aborted'
    this.dispatchEvent(new Event('close'))
  }

  endRemotely(): void {
    this.remoteWriteStatus = 'closed'
    this.dispatchEvent(new Event('remoteCloseWrite'))
  }

  asStream(): Stream {
    return this as unknown as Stream
  }
}

describe('signalling', () => {
  it('lasts until the dialler ends its stream', async () => {
    const signalling = new Signalling()
    const stream = new SignallingStream()
    signalling.add(peerNumber(1), stream.asStream())
    let isOver = false
    const ended = signalling.whenEnded(peerNumber(1)).then(() => {
      isOver = true
    })
    await signalling.whenEnded(peerNumber(2))
    expect(isOver).toBe(false)
    stream.endRemotely()
    await ended
    await signalling.whenEnded(peerNumber(1))
  })

  it('has few places, of which the peer with most gives one up (N13e)', () => {
    const signalling = new Signalling()
    const other = new SignallingStream()
    const streams = Array.from({ length: MAX_PENDING_PAGES }, () => new SignallingStream())
    signalling.add(peerNumber(2), other.asStream())
    streams.map((stream) => signalling.add(peerNumber(1), stream.asStream()))
    expect(streams.map(({ status }) => status === 'open')).toEqual(streams.map((_, i) => i > 0))
    expect(other.status).toBe('open')
  })
})
