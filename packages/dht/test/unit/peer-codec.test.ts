import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import type { EncodedPeer } from '../../src/wire/fields.ts'
import {
  MAX_ADDRESS_BYTES,
  MAX_ADDRESSES_PER_PEER,
  MAX_CACHED_PEERS,
  MAX_DIALLED_ADDRESSES
} from '../../src/wire/limits.ts'
import { dialable, encodePeer, PeerDecoder } from '../../src/wire/peer-codec.ts'
import { encodedPeer, fieldsOf } from '../support/encoded-peers.ts'
import { contact } from '../support/exchange-serving.ts'
import { peerNumber } from '../support/numbered-peers.ts'

const ADDRESS = multiaddr('/ip4/127.0.0.1/tcp/1337').bytes

function idOf(n: number): Uint8Array {
  return peerNumber(n).toMultihash().bytes
}

function wirePeer(n: number, addresses: readonly Uint8Array[] = [ADDRESS]): EncodedPeer {
  return encodedPeer({ id: idOf(n), addresses })
}

function withId(...id: number[]): EncodedPeer {
  return encodedPeer({ id: Uint8Array.from(id), addresses: [ADDRESS] })
}

/** Places bytes inside a large message. */
function inMessage(bytes: Uint8Array): Uint8Array {
  const message = new Uint8Array(1_000_000)
  message.set(bytes, 1000)
  return message.subarray(1000, 1000 + bytes.length)
}

describe('PeerDecoder', () => {
  it('reads what encodePeer has written', () => {
    const known = contact(1, ['/ip4/127.0.0.1/tcp/1337', '/dns/bees.example/tcp/1/ws'])
    const read = new PeerDecoder().of(encodePeer(known))

    expect(read?.id.equals(known.id)).toBe(true)
    expect(read?.multiaddrs.map(String)).toEqual(known.multiaddrs.map(String))
  })

  it('gives the same contact for the same peer, and another for other addresses', () => {
    const contacts = new PeerDecoder()
    const first = contacts.of(wirePeer(1))

    expect(contacts.of(wirePeer(1))).toBe(first)
    expect(contacts.of(wirePeer(1, [ADDRESS, ADDRESS]))).not.toBe(first)
    expect(contacts.of(wirePeer(2))?.id.equals(peerNumber(2))).toBe(true)
  })

  it.each<[string, EncodedPeer]>([
    ['an id that is nothing', withId()],
    ['an id that is no multihash', withId(1, 2, 3)],
    ['an id that lacks its end', withId(...idOf(1).subarray(0, -1))],
    ['an id with a byte too many', withId(...idOf(1), 0)],
    ['an id of another hash', withId(0x11, 2, 1, 1)],
    ['no address', wirePeer(1, [])],
    ['only an address that is none', wirePeer(1, [Uint8Array.of(0xff, 0xff, 0xff)])]
  ])('takes a peer with %s for nobody (N9h)', (_, peer) => {
    const contacts = new PeerDecoder()

    expect(contacts.of(peer)).toBeUndefined()
    expect(contacts.of(peer)).toBeUndefined()
  })

  it('takes no peer for another whose bytes, put together, are the same (N9h)', () => {
    const contacts = new PeerDecoder()
    const separator = Uint8Array.of(10)
    const id = Uint8Array.from([...idOf(1), ...separator, ...ADDRESS])
    expect(contacts.of(encodedPeer({ id, addresses: [] }))).toBeUndefined()

    expect(contacts.of(wirePeer(1))?.id.equals(peerNumber(1))).toBe(true)
  })

  it('leaves out an address that it can not read, and keeps the others', () => {
    const unknown = Uint8Array.of(0xfe, 0xff, 0x03, 1, 2, 3)
    const read = new PeerDecoder().of(wirePeer(1, [unknown, ADDRESS]))

    expect(read?.multiaddrs.map(String)).toEqual(['/ip4/127.0.0.1/tcp/1337'])
  })

  it('keeps as many of the addresses as are dialled, and no more (N9d)', () => {
    const many = Array.from(
      { length: MAX_ADDRESSES_PER_PEER },
      (_, i) => multiaddr(`/ip4/127.0.0.1/tcp/${i + 1}`).bytes
    )
    const read = new PeerDecoder().of(wirePeer(1, many))

    expect(read?.multiaddrs).toHaveLength(MAX_DIALLED_ADDRESSES)
  })

  it('keeps nothing of the message that a peer was in (N9d)', () => {
    const read = new PeerDecoder().of(inMessage(wirePeer(1)))

    expect(read?.id.toMultihash().bytes.buffer.byteLength).toBeLessThan(1000)

    const components = read?.multiaddrs[0]?.getComponents()
    expect(components).toHaveLength(2)

    for (const { bytes } of components ?? []) {
      expect(bytes?.buffer.byteLength).toBeLessThan(1000)
    }
  })

  it('remembers so many peers, and forgets the first for more (N9d)', () => {
    const contacts = new PeerDecoder()
    const first = contacts.of(wirePeer(0))

    for (let n = 1; n < MAX_CACHED_PEERS; n++) {
      contacts.of(wirePeer(n, []))
    }

    expect(contacts.of(wirePeer(0))).toBe(first)
    contacts.of(wirePeer(MAX_CACHED_PEERS))
    expect(contacts.of(wirePeer(0))).not.toBe(first)
  })
})

describe('encodePeer', () => {
  it('gives so many addresses of so many bytes, and no more (N9d)', () => {
    const fitting = `/dns/${'a'.repeat(MAX_ADDRESS_BYTES - 6)}/tcp/1`
    const tooLong = `/dns/${'a'.repeat(MAX_ADDRESS_BYTES - 5)}/tcp/1`
    const many = Array.from({ length: 20 }, (_, i) => `/ip4/127.0.0.1/tcp/${i + 1}`)

    expect(multiaddr(fitting).bytes).toHaveLength(MAX_ADDRESS_BYTES)
    expect(fieldsOf(encodePeer(contact(1, [tooLong, fitting]))).addresses).toEqual([
      multiaddr(fitting).bytes
    ])
    expect(fieldsOf(encodePeer(contact(2, many))).addresses).toEqual(
      many.slice(0, MAX_ADDRESSES_PER_PEER).map((address) => multiaddr(address).bytes)
    )
  })
})

describe('a named peer', () => {
  const lists = ['/dnsaddr/bees.example', '/dnsaddr/bees.example/p2p-circuit']
  const others = ['/dns4/bees.example/tcp/1', '/ip4/56.56.56.56/tcp/14392']

  it('has no lists of addresses, whoever names it (N9h)', () => {
    const named = contact(1, [...lists, ...others])
    const read = new PeerDecoder().of(encodePeer(named))

    expect(read?.multiaddrs.map(String)).toEqual(others)
    expect(dialable(named).multiaddrs.map(String)).toEqual(others)
  })
})

describe('dialable', () => {
  it('leaves of a peer that a stock peer names what one of ours may name (N9h)', () => {
    const many = Array.from({ length: 100_000 }, (_, i) => `/ip4/10.0.0.1/tcp/${(i % 65_535) + 1}`)
    const winding = `/ip4/10.0.0.1/tcp/1${'/p2p-circuit'.repeat(10)}`

    expect(dialable(contact(1, many)).multiaddrs).toHaveLength(MAX_DIALLED_ADDRESSES)
    expect(dialable(contact(1, [winding, ...many.slice(0, 2)])).multiaddrs).toHaveLength(2)
  })
})
