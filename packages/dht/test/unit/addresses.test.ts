import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { announcedAddress, listenAddress, peerAddress } from '../../src/node/addresses.ts'
import { peerNumber } from '../support/numbered-peers.ts'

const id = peerNumber(1).toString()

/** An address and its multiaddr. */
type Row = [address: string, multiaddr: string]

const BOTH: Row[] = [
  ['127.0.0.1:1337', '/ip4/127.0.0.1/tcp/1337'],
  ['192.168.1.20:65535', '/ip4/192.168.1.20/tcp/65535'],
  ['[::1]:1337', '/ip6/::1/tcp/1337'],
  ['[2001:db8::7]:1', '/ip6/2001:db8::7/tcp/1'],
  ['/ip4/10.0.0.1/tcp/1337', '/ip4/10.0.0.1/tcp/1337'],
  ['/ip4/10.0.0.1/tcp/80/ws', '/ip4/10.0.0.1/tcp/80/ws'],
  [`/ip4/10.0.0.1/tcp/1337/p2p/${id}`, `/ip4/10.0.0.1/tcp/1337/p2p/${id}`],
  [`127.0.0.1:1337/p2p/${id}`, `/ip4/127.0.0.1/tcp/1337/p2p/${id}`],
  [`[::1]:1337/p2p/${id}`, `/ip6/::1/tcp/1337/p2p/${id}`]
]

const LISTEN: Row[] = [
  ['127.0.0.1:0', '/ip4/127.0.0.1/tcp/0'],
  [':1337', '/ip4/0.0.0.0/tcp/1337'],
  [':0', '/ip4/0.0.0.0/tcp/0'],
  ['localhost:1337', '/ip4/127.0.0.1/tcp/1337'],
  ['*:1337', '/ip4/0.0.0.0/tcp/1337'],
  ['0.0.0.0:1337', '/ip4/0.0.0.0/tcp/1337'],
  ['[::]:1337', '/ip6/::/tcp/1337']
]

const ON_THIS_MACHINE: Row[] = [
  ['localhost:1337', '/ip4/127.0.0.1/tcp/1337'],
  [':1337', '/ip4/127.0.0.1/tcp/1337']
]

const PEER: Row[] = [
  [`bees.example.org:1337/p2p/${id}`, `/dns/bees.example.org/tcp/1337/p2p/${id}`],
  ['bees.example.org:1337', '/dns/bees.example.org/tcp/1337'],
  ['hive-1:1337', '/dns/hive-1/tcp/1337'],
  ['/dns4/bees.example.org/tcp/443/wss', '/dns4/bees.example.org/tcp/443/wss'],
  [`/p2p/${id}`, `/p2p/${id}`]
]

const GARBAGE: unknown[] = [
  '',
  ' ',
  '127.0.0.1',
  '1337',
  1337,
  null,
  {},
  [],
  true,
  '127.0.0.1:',
  '127.0.0.1:port',
  '127.0.0.1:-1',
  '127.0.0.1:65536',
  '127.0.0.1:123456',
  '127.0.0.1:1337/',
  '127.0.0.1:1337/p2p/',
  '127.0.0.1:1337/p2p/bee',
  `127.0.0.1:1337/p2p/${id}/ws`,
  ' 127.0.0.1:1337',
  '127.0.0.1:1337\n',
  '256.0.0.1:1337',
  '1.2.3:1337',
  '::1:1337',
  '[::1]',
  '[::1:1337',
  '[]:1337',
  '[127.0.0.1]:1337',
  '[::1%lo]:1337',
  'bees example:1337',
  'http://127.0.0.1:1337',
  '/',
  '/ip4/127.0.0.1/tcp',
  '/ip4/localhost/tcp/1337',
  '/ip4/127.0.0.1/tcp/65536',
  '/ip9/127.0.0.1/tcp/1337',
  '/ip4/127.0.0.1/tcp/1337/p2p',
  '/ip4/127.0.0.1/tcp/1337/p2p/bee',
  `/ip4/127.0.0.1/tcp/1337/p2p/${id}x`,
  multiaddr('/ip4/127.0.0.1/tcp/1337/p2p/bee')
]

describe.each([
  ['listenAddress', listenAddress],
  ['peerAddress', peerAddress],
  ['announcedAddress', announcedAddress]
])('%s', (_, parse) => {
  it.each(BOTH)('reads %s as %s', (address, expected) => {
    expect(parse(address, 'an option').toString()).toBe(expected)
  })

  it('takes a Multiaddr as it is', () => {
    const address = multiaddr(`/ip4/10.0.0.1/udp/1337/quic-v1/p2p/${id}`)

    expect(parse(address, 'an option')).toBe(address)
  })

  it.each(GARBAGE)('refuses %j, naming the option and what would do', (address) => {
    expect(() => parse(address, 'anOption')).toThrow(TypeError)
    expect(() => parse(address, 'anOption')).toThrow(/^anOption: .* use host:port such as /s)
  })

  it('repeats the address that it refuses', () => {
    expect(() => parse('127.0.0.1:65536', 'anOption')).toThrow(
      '"127.0.0.1:65536" has a port beyond 65535'
    )
    expect(() => parse('bees', 'anOption')).toThrow('"bees" is not an address')
  })
})

describe('listenAddress', () => {
  it.each(LISTEN)('reads %s as %s', (address, expected) => {
    expect(listenAddress(address, 'listenOn').toString()).toBe(expected)
  })

  it('says why it takes no host name', () => {
    expect(() => listenAddress('bees.example.org:1337', 'listenOn')).toThrow(
      'listenOn: "bees.example.org:1337" has a host name, but a node listens on IP addresses'
    )
  })
})

describe('peerAddress', () => {
  it.each([
    ['localhost:1337', '/dns/localhost/tcp/1337'],
    [':1337', '/dns/localhost/tcp/1337'],
    ...PEER
  ])('reads %s as %s', (address, expected) => {
    expect(peerAddress(address, 'initialPeers').toString()).toBe(expected)
  })
})

describe('announcedAddress', () => {
  it.each([...ON_THIS_MACHINE, ...PEER])('reads %s as %s', (address, expected) => {
    expect(announcedAddress(address, 'announce').toString()).toBe(expected)
  })

  it.each(['127.0.0.1:0', '[::1]:0', ':0', '/ip4/10.0.0.1/udp/0/quic-v1'])(
    'refuses %s, as nobody can connect to port 0',
    (address) => {
      expect(() => announcedAddress(address, 'announce')).toThrow(TypeError)
      expect(() => announcedAddress(address, 'announce')).toThrow('has port 0')
    }
  )
})
