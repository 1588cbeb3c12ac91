import type { SubkeyId } from '@waggle/record'
import { bytesOf, textOf } from '../latin1.ts'
import type { ByteReader, ByteWriter } from './bytes.ts'
import {
  MAX_ADDRESS_BYTES,
  MAX_ADDRESSES_PER_PEER,
  MAX_AGE_MS,
  MAX_AGE_SECONDS,
  MAX_CLOSER_PEERS,
  MAX_KEY_BYTES,
  MAX_KEYS_PER_MESSAGE,
  MAX_MESSAGE_BYTES,
  MAX_PEER_ID_BYTES,
  MAX_PEERS_PER_MESSAGE,
  MAX_SUBKEYS_PER_KEY
} from './limits.ts'
import { ProtocolViolationError } from './protocol-violation-error.ts'
import { byteString, Codec, integer, list, skipped, struct } from './schema.ts'

/** A record key. */
export const KEY: Codec<Uint8Array> = byteString(MAX_KEY_BYTES, 'a key')

export const KEYS: Codec<readonly Uint8Array[]> = list(KEY, MAX_KEYS_PER_MESSAGE)

const SUBKEY: Codec<Uint8Array> = byteString(MAX_KEY_BYTES, 'a subkey')
const NO_SUBKEYS: readonly SubkeyId[] = []

/** An optional subkey. An absent one takes no bytes, which no real subkey does. */
export const OPTIONAL_SUBKEY: Codec<SubkeyId | undefined> = new Codec(
  (to, id) => SUBKEY.write(to, bytesOf(id ?? '')),
  (from) => {
    const bytes = SUBKEY.read(from)
    return bytes.length === 0 ? undefined : textOf(bytes)
  }
)

/** Distinct subkeys of one key, in the order of their bytes. */
export const SUBKEYS: Codec<readonly SubkeyId[]> = new Codec(
  (to, subkeys) => {
    to.varint(subkeys.length)

    for (let i = 0; i < subkeys.length; i++) {
      SUBKEY.write(to, bytesOf(subkeys[i] as SubkeyId))
    }
  },
  (from) => {
    const count = from.varint(MAX_SUBKEYS_PER_KEY, 'a number of subkeys')

    if (count === 0) {
      return NO_SUBKEYS
    }

    const subkeys = Array.from({ length: count }, () => textOf(SUBKEY.read(from)))

    if (subkeys.some((id, i) => i > 0 && id <= (subkeys[i - 1] ?? id))) {
      throw new ProtocolViolationError('subkeys are not in their order')
    }

    return subkeys
  }
)

/** An encoded record. */
export const RECORD: Codec<Uint8Array> = byteString(MAX_MESSAGE_BYTES, 'a record')

/** Milliseconds since a copy left its replica, rounded up. */
export const AGE: Codec<number> = integer(MAX_AGE_MS, 'an age')

/** Maximum age in seconds of a copy that counts as a response; 0: only a replica's record does. */
export const MAX_AGE: Codec<number> = integer(MAX_AGE_SECONDS, 'the age of a copy')

/** Number of closer peers requested for each key. */
export const CLOSER_COUNT: Codec<number> = integer(MAX_CLOSER_PEERS, 'the number of near peers')

/** A peer in a response. */
export interface PeerFields {
  readonly id: Uint8Array
  readonly addresses: readonly Uint8Array[]
}

const PEER_ID_BYTES = [MAX_PEER_ID_BYTES, 'a peer id'] as const
const ADDRESS = [MAX_ADDRESS_BYTES, 'an address'] as const

/** The multihash of a peer id. */
export const PEER_ID: Codec<Uint8Array> = byteString(...PEER_ID_BYTES)

export const PEER_FIELDS: Codec<PeerFields> = struct<PeerFields>({
  id: PEER_ID,
  addresses: list(byteString(...ADDRESS), MAX_ADDRESSES_PER_PEER)
})

/** A peer's encoded {@link PEER_FIELDS}. The same few peers recur, and are rarely decoded. */
export type EncodedPeer = Uint8Array

const skipId = skipped(...PEER_ID_BYTES)
const skipAddress = skipped(...ADDRESS)
const PEER: Codec<EncodedPeer> = new Codec((to, peer) => to.bytes(peer), readPeer)

const PEERS: Codec<readonly EncodedPeer[]> = list(PEER, MAX_PEERS_PER_MESSAGE)

function readPeer(from: ByteReader): EncodedPeer {
  const start = from.position
  skipId(from)
  const count = from.varint(MAX_ADDRESSES_PER_PEER, 'a count')

  for (let i = 0; i < count; i++) {
    skipAddress(from)
  }

  return from.since(start)
}

/** Distinct closer peers of a response. */
export const RESPONSE_PEERS: Codec<readonly EncodedPeer[]> = new Codec(PEERS.write, (from) => {
  const peers = PEERS.read(from)
  from.peerCount = peers.length
  return peers
})

/** Closer peers of one key, as indexes into the response's peers. */
export const CLOSER_PEER_INDEXES: Codec<readonly number[]> = new Codec(writePlaces, (from) =>
  readPlaces(from, from.varint(MAX_CLOSER_PEERS, 'a count'))
)

/** The same, or `known`: they are those of which the request has the digest. */
export const CLOSER_PEERS: Codec<readonly number[] | 'known'> = new Codec(
  (to, closer) => {
    if (closer === 'known') {
      to.varint(KNOWN)
    } else {
      writePlaces(to, closer)
    }
  },
  (from) => {
    const count = from.varint(KNOWN, 'a count')
    return count === KNOWN ? 'known' : readPlaces(from, count)
  }
)

/** Written in place of the number of closer peers. */
const KNOWN = MAX_CLOSER_PEERS + 1

function writePlaces(to: ByteWriter, places: readonly number[]): void {
  to.varint(places.length)

  for (let i = 0; i < places.length; i++) {
    to.varint(places[i] as number)
  }
}

function readPlaces(from: ByteReader, count: number): readonly number[] {
  const places: number[] = []

  for (let i = 0; i < count; i++) {
    places.push(from.varint(from.peerCount - 1, 'the place of a peer'))
  }

  return places
}
