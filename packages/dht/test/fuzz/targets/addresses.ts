import { isMultiaddr, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { announcedAddress, listenAddress, peerAddress } from '../../../src/node/addresses.ts'
import { MAX_ADDRESSES_PER_PEER } from '../../../src/wire/limits.ts'
import { encodePeer, PeerDecoder } from '../../../src/wire/peer-codec.ts'
import { encodedPeer, fieldsOf } from '../../support/encoded-peers.ts'
import { peerNumber } from '../../support/numbered-peers.ts'
import type { Target } from '../fuzzer.ts'
import { assertThat, unlessRefused } from './claims.ts'
import { bytesOf, strings, stringsInput, words } from './material.ts'

const ADDRESSES = [
  '/ip4/127.0.0.1/tcp/1337',
  '/dns4/bees.example/tcp/443/wss',
  '/ip6/::1/udp/1/quic-v1/webtransport/certhash/uEiAkH5a4DPGKUuOBjYw0CgwjvcJCJMD2K_1aluKR_tpevQ',
  '/ip4/1.2.3.4/tcp/1/p2p/12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5/p2p-circuit'
]

/** A peer in a reply: an id, and addresses, each after a byte with its length. */
const contact: Target = {
  name: 'contact',
  isWatched: (url) => url.includes('/dht/src/wire/') || url.includes('@multiformats/multiaddr/'),
  seeds: ADDRESSES.map((address) => {
    const { id, addresses } = fieldsOf(
      encodePeer({ id: peerNumber(1), multiaddrs: [multiaddr(address)] })
    )
    return stringsInput(id, ...addresses)
  }),
  words: ['047f000001', '0604d2', 'a503', '29', '36', '35', '38', 'dd03', 'de03', 'a202'].map(
    bytesOf
  ),
  try(input) {
    const [id = new Uint8Array(), ...addresses] = strings(input)
    const read = new PeerDecoder().of(
      encodedPeer({ id, addresses: addresses.slice(0, MAX_ADDRESSES_PER_PEER) })
    )

    if (read !== undefined) {
      assertThat(read.multiaddrs.length > 0, 'a contact without an address')
      read.multiaddrs.map(String)
      String(read.id)
    }
  }
}

const PARSERS = [listenAddress, peerAddress, announcedAddress] as const

/** Text as an address: a multiaddr with one spelling, or a TypeError. */
const address: Target = {
  name: 'address',
  isWatched: (url) =>
    url.includes('/dht/src/node/addresses') || url.includes('@multiformats/multiaddr/'),
  seeds: words(
    ...['127.0.0.1:1337', '[::1]:1337', ':0', 'localhost:1', 'bees.example:80', '*:5'],
    ...ADDRESSES
  ),
  words: words(
    ...['/ip4/', '/ip6/', '/tcp/', '/udp/', '/dns/', '/dnsaddr/', '/p2p/', '/unix/', '/ipcidr/'],
    ...['/p2p-circuit', '/ws', '/http-path/', '/onion3/', '/garlic32/', '/memory/', '/ip6zone/'],
    ...['::', '[', ']', ':', '%', '65535', '65536', '0', '-1', ' ', '\n', '/']
  ),
  try(input) {
    const text = new TextDecoder().decode(input)

    for (const parse of PARSERS) {
      const parsed = unlessRefused<Multiaddr>(() => parse(text, 'address'), 'TypeError')

      if (parsed !== undefined) {
        assertThat(isMultiaddr(parsed), 'no multiaddr')
        assertThat(
          String(parse(String(parsed), 'address')) === String(parsed),
          'an address is not read back as itself'
        )
      }
    }
  }
}

/** Readers of peers' addresses. */
export const addressTargets: readonly Target[] = [contact, address]
