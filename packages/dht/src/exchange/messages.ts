import type { Rejection } from '@waggle/record'
import type { EncodedPeer } from '../wire/fields.ts'
import {
  CLOSER_COUNT,
  CLOSER_PEER_INDEXES,
  KEY,
  KEYS,
  RECORD,
  RESPONSE_PEERS
} from '../wire/fields.ts'
import { MAX_KEYS_PER_MESSAGE, MAX_REQUEST_ID } from '../wire/limits.ts'
import {
  flag,
  integer,
  list,
  type MessageCodec,
  messages,
  oneOf,
  optional,
  struct
} from '../wire/schema.ts'

/** Asks for records, and for peers near their keys. */
export interface FindRequest {
  readonly name: 'find'
  readonly id: number

  /** Closer peers wanted for each key. */
  readonly closerCount: number

  /** Whether they are wanted for keys with a record, too. */
  readonly isCloserAlways: boolean
  readonly keys: readonly Uint8Array[]
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
}

/** Answers as many of the first keys of a FIND as fit. The others are to be asked for again. */
export interface FoundReply {
  readonly name: 'found'
  readonly id: number
  readonly peers: readonly EncodedPeer[]
  readonly answers: readonly FoundAnswer[]
}

export interface FoundAnswer {
  readonly record?: Uint8Array | undefined
  readonly closer: readonly number[]
}

/** Answers all writes of a STORE. */
export interface StoredReply {
  readonly name: 'stored'
  readonly id: number
  readonly peers: readonly EncodedPeer[]
  readonly answers: readonly StoredAnswer[]
}

export interface StoredAnswer {
  readonly outcome: WireOutcome
  readonly closer: readonly number[]
}

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

const OUTCOMES: readonly WireOutcome[] = [
  'accepted',
  'stale',
  'full',
  'expired',
  'invalid',
  'refused'
]

const ID = integer(MAX_REQUEST_ID, 'a request id')
const WRITE = struct<EncodedWrite>({ key: KEY, record: RECORD })
const FOUND = struct<FoundAnswer>({ record: optional(RECORD), closer: CLOSER_PEER_INDEXES })
const STORED = struct<StoredAnswer>({
  outcome: oneOf(OUTCOMES, 'outcome'),
  closer: CLOSER_PEER_INDEXES
})

/** The protocol's id in the default network; see {@link protocolIdIn}. */
export const EXCHANGE_PROTOCOL = '/waggle/exchange/1.0.0'

/** The messages of the exchange; docs/network.md describes them. */
export const EXCHANGE: MessageCodec<Message> = messages<Message>({
  find: [0, { id: ID, closerCount: CLOSER_COUNT, isCloserAlways: flag('FIND'), keys: KEYS }],
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
