import type { SubkeyId } from '@waggle/record'
import type { PeerOutcome, WriteOutcome } from '../reading/write-replies.ts'
import { KEY, OPTIONAL_SUBKEY, PEER_ID, RECORD } from '../wire/fields.ts'
import { MAX_KEYS_PER_MESSAGE, MAX_PEERS_PER_MESSAGE, MAX_REQUEST_ID } from '../wire/limits.ts'
import {
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

/** Asks a gateway to look up keys. */
export interface ReadRequest {
  readonly name: 'read'
  readonly id: number

  /** Whether all replicas are to be asked. */
  readonly isLatest: boolean
  readonly keys: readonly ReadPlace[]
}

/** A key, or one subkey of it: records are projections to it then. */
export interface ReadPlace {
  readonly key: Uint8Array
  readonly subkey?: SubkeyId | undefined
}

/** Asks a gateway to have writes held by their replicas. */
export interface WriteRequest {
  readonly name: 'write'
  readonly id: number
  readonly writes: readonly GatewayWrite[]
}

export interface GatewayWrite {
  readonly key: Uint8Array
  readonly record: Uint8Array
}

/** Answers as many of the first keys of a READ as fit. The others are to be asked for again. */
export interface RecordsReply {
  readonly name: 'records'
  readonly id: number
  readonly answers: readonly ReadAnswer[]
}

/**
 * The result of a lookup: nothing, as enough of the `responded` peers said; a record; too few
 * responses; or the gateway has too much to do.
 */
export type ReadAnswer =
  | { readonly state: 'absent'; readonly responded: number }
  | { readonly state: 'held'; readonly responded: number; readonly record: Uint8Array }
  | { readonly state: 'unreachable'; readonly responded: number; readonly failed: number }
  | { readonly state: 'busy' }

/** Answers as many of the first writes of a WRITE as fit. The others are to be sent again. */
export interface OutcomesReply {
  readonly name: 'outcomes'
  readonly id: number
  readonly answers: readonly WriteAnswer[]
}

/** The outcome of a write. */
export interface WriteAnswer {
  readonly outcome: WriteOutcome

  /** A record of what beats the write. */
  readonly winner: Uint8Array | undefined
  readonly replicas: readonly ReplicaAnswer[]
}

/** The outcome of a write at one replica. */
export interface ReplicaAnswer {
  /** The multihash of its peer id. */
  readonly id: Uint8Array
  readonly outcome: PeerOutcome
}

/** Answers any request: the gateway has too much to do. Nothing of it was done. */
export interface GatewayBusyReply {
  readonly name: 'busy'
  readonly id: number
}

export type GatewayMessage =
  | ReadRequest
  | WriteRequest
  | RecordsReply
  | OutcomesReply
  | GatewayBusyReply

const OUTCOMES: readonly WriteOutcome[] = [
  'held',
  'beaten',
  'expired',
  'full',
  'refused',
  'busy',
  'unreachable'
]
const PEER_OUTCOMES: readonly PeerOutcome[] = [
  'accepted',
  'stale',
  'full',
  'expired',
  'refused',
  'busy',
  'failed'
]

const ID = integer(MAX_REQUEST_ID, 'a request id')
const PLACE = struct<ReadPlace>({ key: KEY, subkey: OPTIONAL_SUBKEY })
const PEERS = integer(MAX_PEERS_PER_MESSAGE, 'a number of peers')
const READ_ANSWER = union<ReadAnswer, 'state'>('state', {
  absent: [0, { responded: PEERS }],
  held: [1, { responded: PEERS, record: RECORD }],
  unreachable: [2, { responded: PEERS, failed: PEERS }],
  busy: [3, {}]
})
const WRITE_ANSWER = struct<WriteAnswer>({
  outcome: oneOf(OUTCOMES, 'outcome'),
  winner: optional(RECORD),
  replicas: list(
    struct<ReplicaAnswer>({ id: PEER_ID, outcome: oneOf(PEER_OUTCOMES, 'outcome of a peer') }),
    MAX_PEERS_PER_MESSAGE
  )
})

/** The protocol's id in the default network; see {@link protocolIdIn}. */
export const GATEWAY_PROTOCOL = '/waggle/gateway/1.0.0'

/** The messages of the gateway protocol; docs/network.md describes them. */
export const GATEWAY: MessageCodec<GatewayMessage> = messages<GatewayMessage>({
  read: [0, { id: ID, isLatest: flag('READ'), keys: list(PLACE, MAX_KEYS_PER_MESSAGE) }],
  write: [
    1,
    {
      id: ID,
      writes: list(struct<GatewayWrite>({ key: KEY, record: RECORD }), MAX_KEYS_PER_MESSAGE)
    }
  ],
  records: [2, { id: ID, answers: list(READ_ANSWER, MAX_KEYS_PER_MESSAGE) }],
  outcomes: [3, { id: ID, answers: list(WRITE_ANSWER, MAX_KEYS_PER_MESSAGE) }],
  busy: [8, { id: ID }]
})
