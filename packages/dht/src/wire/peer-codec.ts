import type { PeerInfo } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { BoundedMap } from '../collections/bounded-map.ts'
import { textOf } from '../latin1.ts'
import { peerIdIn } from '../peers/peer-id-bytes.ts'
import { withoutTwins } from '../peers/websocket-address.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import type { PeerPolicy } from './dialer.ts'
import { type EncodedPeer, PEER_FIELDS } from './fields.ts'
import { isAddressList } from './host-names.ts'
import {
  MAX_ADDRESS_BYTES,
  MAX_ADDRESS_PARTS,
  MAX_ADDRESSES_PER_PEER,
  MAX_CACHED_PEERS,
  MAX_DIALLED_ADDRESSES
} from './limits.ts'

/**
 * Decodes the peers in responses, and caches them: the same few recur, and decoding an id or an address is the
 * slowest part of reading a response.
 */
export class PeerDecoder {
  readonly #peers = new BoundedMap<string, PeerInfo | undefined>({ maxSize: MAX_CACHED_PEERS })

  /** Decodes a peer; undefined for one that can't be dialled. */
  of(peer: EncodedPeer): PeerInfo | undefined {
    const name = textOf(peer)
    const known = this.#peers.get(name)

    if (known !== undefined || this.#peers.has(name)) {
      return known
    }

    const decoded = decodePeer(peer)
    this.#peers.set(name, decoded)
    return decoded
  }

  /** Decodes a peer, and records its referrer. */
  decodeReferral(peer: EncodedPeer, { by, peers }: Referral): PeerInfo | undefined {
    const decoded = this.of(peer)

    if (decoded !== undefined) {
      peers.recordReferral(decoded, by.id)
    }

    return decoded
  }
}

/** The referrer of a peer, and the records to add it to. */
export interface Referral {
  readonly by: PeerInfo
  readonly peers: Pick<PeerPolicy, 'recordReferral'>
}

const wirePeers = new WeakMap<PeerInfo, EncodedPeer>()

/**
 * Encodes a peer for a response, with at most the allowed number of addresses. A WebSocket on a TCP port that is listed
 * goes without saying: whoever has no TCP dials it there.
 */
export function encodePeer(contact: PeerInfo): EncodedPeer {
  const known = wirePeers.get(contact)

  if (known !== undefined) {
    return known
  }

  const addresses = withoutTwins(contact.multiaddrs).map(({ bytes }) => bytes)
  const writer = new ByteWriter()
  PEER_FIELDS.write(writer, {
    id: contact.id.toMultihash().bytes,
    addresses: addresses
      .filter(({ length }) => length <= MAX_ADDRESS_BYTES)
      .slice(0, MAX_ADDRESSES_PER_PEER)
  })
  // Copied: a writer's buffer is much larger.
  const peer = writer.take().slice()
  wirePeers.set(contact, peer)
  return peer
}

/**
 * Limits the addresses of a peer in a plain kad-dht peer's response to those that Waggle's protocols would send.
 */
export function dialable({ id, multiaddrs }: PeerInfo): PeerInfo {
  return {
    id,
    multiaddrs: multiaddrs
      .slice(0, MAX_ADDRESSES_PER_PEER)
      .filter((address) => address.bytes.length <= MAX_ADDRESS_BYTES && isDialable(address))
      .slice(0, MAX_DIALLED_ADDRESSES)
  }
}

/** Decodes a peer. Copies the bytes, which are views of a whole message. */
function decodePeer(peer: EncodedPeer): PeerInfo | undefined {
  try {
    const { id, addresses } = PEER_FIELDS.read(new ByteReader(peer))
    const multiaddrs = addresses.flatMap(multiaddrsOf).slice(0, MAX_DIALLED_ADDRESSES)
    const contact = { id: peerIdIn(id), multiaddrs }
    return multiaddrs.length > 0 ? contact : undefined
  } catch {
    return undefined
  }
}

/** Decodes an address; none if this version can't read it, or if it is longer than any real one. */
function multiaddrsOf(address: Uint8Array): Multiaddr[] {
  try {
    const parsed = multiaddr(address.slice())
    return isDialable(parsed) ? [parsed] : []
  } catch {
    return []
  }
}

/** Whether an address may be dialled. A DNS list would expand to more addresses than were counted. */
function isDialable(address: Multiaddr): boolean {
  return address.getComponents().length <= MAX_ADDRESS_PARTS && !isAddressList(address)
}

/** Looks up the peers of a response by their indexes in its message. */
export function namedIn(
  contacts: readonly (PeerInfo | undefined)[],
  places: readonly number[]
): PeerInfo[] {
  const named: PeerInfo[] = []

  for (const place of places) {
    const contact = contacts[place]

    if (contact !== undefined) {
      named.push(contact)
    }
  }

  return named
}
