import type { Rejection, SubkeyId } from '@waggle/record'
import { MAX_PEERS_DIGEST } from '../peers/near-peers.ts'
import { DIGEST_BYTES } from '../store/record-digest.ts'
import type { EncodedPeer } from '../wire/fields.ts'
import {
  AGE,
  CLOSER_COUNT,
  CLOSER_PEER_INDEXES,
  CLOSER_PEERS,
  KEY,
  MAX_AGE,
  RECORD,
  RESPONSE_PEERS,
  SUBKEYS
} from '../wire/fields.ts'
import { MAX_KEYS_PER_MESSAGE, MAX_REQUEST_ID } from '../wire/limits.ts'
import {
  byteString,
  flag,
  integer,
  list,
  type MessageCodec,
  messages,
  oneOf,
  optional,
  struct,
  union
} from '../wire/schema.ts'

/** Asks for records, and for peers near their keys. */
export interface FindRequest {
  readonly name: 'find'
  readonly id: number

  /** Closer peers wanted for each key. */
  readonly closerCount: number

  /** Whether they are wanted for keys with a record, too. */
  readonly isCloserAlways: boolean

  /** Seconds that a copy may be old to be an answer; 0: none is. */
  readonly maxAge: number
  readonly keys: readonly FindKey[]
}

/** One key of a FIND. */
export interface FindKey {
  readonly key: Uint8Array

  /** The subkeys that are wanted, in the order of their bytes. None: the whole record. */
  readonly subkeys: readonly SubkeyId[]

  /** Of the record that is known already; without a byte if none is. */
  readonly digest: Uint8Array
}

/** Asks a peer to hold writes. */
export interface StoreRequest {
  readonly name: 'store'
  readonly id: number
  readonly closerCount: number

  /** Whether the peer only caches the records (path caching), and holds no replicas. */
  readonly isCacheOnly: boolean
  readonly writes: readonly EncodedWrite[]
}

export interface EncodedWrite {
  readonly key: Uint8Array
  readonly record: Uint8Array

  /** Digest of the closer peers that need not be named; 0: none. */
  readonly known: number
}

/** Answers as many of the first keys of a FIND as fit. The others are to be asked for again. */
export interface FoundReply {
  readonly name: 'found'
  readonly id: number
  readonly peers: readonly EncodedPeer[]
  readonly answers: readonly FoundAnswer[]
}

/**
 * The peer's answer for a key: nothing; nothing, and no other replica can hold what this one lacks; a record that it
 * holds as a replica; exactly the record of which the digest is known; or a copy that left its replica `ageMs` ago.
 */
export type FoundAnswer = { readonly closer: readonly number[] } & (
  | { readonly standing: 'nothing' | 'absent' | 'same' }
  | { readonly standing: 'held'; readonly record: Uint8Array }
  | { readonly standing: 'copy'; readonly ageMs: number; readonly record: Uint8Array }
)

/** Answers all writes of a STORE. */
export interface StoredReply {
  readonly name: 'stored'
  readonly id: number
  readonly peers: readonly EncodedPeer[]
  readonly answers: readonly StoredAnswer[]
}

/** `known`: the closer peers are those of which the request has the digest. */
export type StoredAnswer = { readonly closer: readonly number[] | 'known' } & (
  | { readonly outcome: Exclude<WireOutcome, 'stale'> }
  | {
      readonly outcome: 'stale'

      /** A record of what beats the write; left out if it is large. */
      readonly winner: Uint8Array | undefined
    }
)

/** Answers any request: the peer has too much to do. Nothing of it was done. */
export interface BusyReply {
  readonly name: 'busy'
  readonly id: number
}

/** Says, before it closes the connection, why the sender does so. Nobody replies. */
export interface GoodbyeNotice {
  readonly name: 'goodbye'

  /** No request's. */
  readonly id: number
  readonly reason: GoodbyeReason
}

/** `idle`: nothing is under way, and the sender is still there; `leaving`: it leaves the network. */
export type GoodbyeReason = 'idle' | 'leaving'

export type Message =
  | FindRequest
  | StoreRequest
  | FoundReply
  | StoredReply
  | BusyReply
  | GoodbyeNotice

/** The outcome of a write at a replica; `invalid`: it broke a rule; `refused`: a rule of that replica's own. */
export type WireOutcome = 'accepted' | Rejection | 'invalid' | 'refused'

const ID = integer(MAX_REQUEST_ID, 'a request id')
const WRITE = struct<EncodedWrite>({
  key: KEY,
  record: RECORD,
  known: integer(MAX_PEERS_DIGEST, 'a digest of peers')
})
const FIND_KEY = struct<FindKey>({
  key: KEY,
  subkeys: SUBKEYS,
  digest: byteString(DIGEST_BYTES, 'a digest')
})
const CLOSER = { closer: CLOSER_PEER_INDEXES } as const
const FOUND = union<FoundAnswer, 'standing'>('standing', {
  nothing: [0, CLOSER],
  held: [1, { record: RECORD, ...CLOSER }],
  same: [2, CLOSER],
  copy: [3, { ageMs: AGE, record: RECORD, ...CLOSER }],
  absent: [4, CLOSER]
})
const CLOSER_OR_KNOWN = { closer: CLOSER_PEERS } as const
const STORED = union<StoredAnswer, 'outcome'>('outcome', {
  accepted: [0, CLOSER_OR_KNOWN],
  stale: [1, { winner: optional(RECORD), ...CLOSER_OR_KNOWN }],
  full: [2, CLOSER_OR_KNOWN],
  expired: [3, CLOSER_OR_KNOWN],
  invalid: [4, CLOSER_OR_KNOWN],
  refused: [5, CLOSER_OR_KNOWN]
})

/** The protocol's id in the default network; see {@link protocolIdIn}. */
export const EXCHANGE_PROTOCOL = '/waggle/exchange/2.0.0'

/** The messages of the exchange; docs/network.md describes them. */
export const EXCHANGE: MessageCodec<Message> = messages<Message>({
  find: [
    0,
    {
      ...{ id: ID, closerCount: CLOSER_COUNT, isCloserAlways: flag('FIND'), maxAge: MAX_AGE },
      keys: list(FIND_KEY, MAX_KEYS_PER_MESSAGE)
    }
  ],
  store: [
    1,
    {
      ...{ id: ID, closerCount: CLOSER_COUNT, isCacheOnly: flag('STORE') },
      writes: list(WRITE, MAX_KEYS_PER_MESSAGE)
    }
  ],
  found: [2, { id: ID, peers: RESPONSE_PEERS, answers: list(FOUND, MAX_KEYS_PER_MESSAGE) }],
  stored: [3, { id: ID, peers: RESPONSE_PEERS, answers: list(STORED, MAX_KEYS_PER_MESSAGE) }],
  busy: [8, { id: ID }],
  goodbye: [9, { id: ID, reason: oneOf<GoodbyeReason>(['idle', 'leaving'], 'reason') }]
})
