import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { browserGater } from '../../src/node/browser-gater.ts'
import { dialledAddresses as inBrowser } from '../../src/peers/dialled-addresses.browser.ts'
import { dialledAddresses as inNode } from '../../src/peers/dialled-addresses.ts'
import { webSocketTarget, withoutTwins } from '../../src/peers/websocket-address.ts'

const PEER = '/p2p/12D3KooWGTBzoSZSVUeGGpq4PeQDiRdmksqYdwB8PrAR1WtHGGSh'

describe('webSocketTarget', () => {
  it.each([
    ['/ip4/1.2.3.4/tcp/80/ws', { host: '1.2.3.4', port: 80, isSecure: false }],
    [`/dns4/example.org/tcp/443/tls/ws${PEER}`, { host: 'example.org', port: 443, isSecure: true }],
    ['/dns/example.org/tcp/443/wss', { host: 'example.org', port: 443, isSecure: true }],
    [
      '/ip4/1.2.3.4/tcp/443/tls/sni/example.org/ws',
      { host: '1.2.3.4', isSecure: true, serverName: 'example.org' }
    ]
  ])('reads %s', (address, target) => {
    expect(webSocketTarget(multiaddr(address))).toMatchObject(target)
  })

  it.each([
    '/ip4/1.2.3.4/tcp/80',
    `/ip4/1.2.3.4/tcp/80/ws${PEER}/p2p-circuit`,
    '/ip4/1.2.3.4/udp/80/webrtc-direct',
    '/ip4/1.2.3.4/tcp/80/tls'
  ])('is none of %s', (address) => {
    expect(webSocketTarget(multiaddr(address))).toBeUndefined()
  })
})

describe('withoutTwins', () => {
  it('leaves out the WebSocket of a port that is listed', () => {
    const tcp = multiaddr(`/ip4/1.2.3.4/tcp/80${PEER}`)
    const twin = multiaddr(`/ip4/1.2.3.4/tcp/80/ws${PEER}`)
    const other = multiaddr(`/ip4/1.2.3.4/tcp/81/ws${PEER}`)
    const secure = multiaddr(`/dns4/example.org/tcp/443/tls/ws${PEER}`)
    expect(withoutTwins([tcp, twin, other, secure])).toEqual([tcp, other, secure])
    expect(withoutTwins([twin])).toEqual([twin])
  })
})

describe('browserGater', () => {
  const given = ['/dns/localhost/tcp/1337/ws', `/ip4/10.0.0.1/tcp/1337/ws${PEER}`].map((address) =>
    multiaddr(address)
  )
  const denies = (address: string) =>
    browserGater({}, given).denyDialMultiaddr?.(multiaddr(address))

  it.each([
    '/ip4/127.0.0.1/tcp/1337/ws',
    '/ip6/::1/tcp/1337/ws',
    '/ip4/10.0.0.1/tcp/1337/ws',
    `/ip4/10.0.0.1/tcp/1337/ws${PEER}`,
    '/ip4/8.8.8.8/tcp/1337/ws',
    '/dns4/example.org/tcp/443/tls/ws',
    `/ip4/10.0.0.1/tcp/1337/ws${PEER}/p2p-circuit/webrtc${PEER}`
  ])('allows %s', (address) => {
    expect(denies(address)).toBe(false)
  })

  it.each([
    '/ip4/127.0.0.1/tcp/1338/ws',
    '/ip4/10.0.0.1/tcp/6379/ws',
    '/ip4/192.168.0.1/tcp/80/tls/ws',
    '/ip6/fd00::1/tcp/80/ws',
    '/dns4/example.org/tcp/80/ws',
    '/dns4/router.local/tcp/443/tls/ws',
    '/dns4/intranet/tcp/443/tls/ws',
    `/ip4/10.0.0.1/tcp/1/ws${PEER}/p2p-circuit`,
    `/ip4/10.0.0.1/tcp/1/ws${PEER}/p2p-circuit/webrtc${PEER}`
  ])('denies %s, which only peers have named (N13o)', (address) => {
    expect(denies(address)).toBe(true)
  })

  it('leaves the rule to a gater that has one', () => {
    const own = browserGater({ denyDialMultiaddr: () => false }, [])
    expect(own.denyDialMultiaddr?.(multiaddr('/ip4/127.0.0.1/tcp/1/ws'))).toBe(false)
  })
})

describe('the addresses that are dialled', () => {
  const tcp = multiaddr(`/ip4/8.8.8.8/tcp/80${PEER}`)
  const twin = multiaddr(`/ip4/8.8.8.8/tcp/80/ws${PEER}`)
  const secure = multiaddr(`/dns4/example.org/tcp/443/tls/ws${PEER}`)

  it('are TCP ports in Node, and WebSockets in browsers', () => {
    expect(inNode([tcp, twin, secure])).toEqual([tcp, secure])
    expect(inBrowser([tcp, twin, secure])).toEqual([twin, secure])
    expect(inBrowser([tcp])).toEqual([tcp])
  })
})
