import type { SubkeyId } from '@waggle/record'
import { DIGEST_BYTES } from '../store/record-digest.ts'
import { ByteWriter } from '../wire/bytes.ts'
import type { EncodedPeer } from '../wire/fields.ts'
import {
  CLOSER_COUNT,
  CLOSER_PEER_INDEXES,
  KEY,
  OPTIONAL_SUBKEY,
  RECORD,
  RESPONSE_PEERS
} from '../wire/fields.ts'
import { writeFrame } from '../wire/frames.ts'
import { MAX_KEYS_PER_MESSAGE } from '../wire/limits.ts'
import { MessageTooLargeError } from '../wire/message-too-large-error.ts'
import {
  byteString,
  list,
  type MessageCodec,
  messages,
  oneOf,
  optional,
  struct
} from '../wire/schema.ts'

/** Subscribes to keys, or renews subscriptions, and requests the present records. */
export interface WatchRequest {
  readonly name: 'watch'

  /** Closer peers wanted for each key. */
  readonly closerCount: number

  readonly role: WatchRole
  readonly keys: readonly WatchedDigest[]
}

/**
 * The role of a subscriber for the peer that it asks. `prompt`: notified at once; `patient`: notified a moment
 * later, because others notify it at once; `forwarder`: watches for others, who depend on it;
 * `dependant`: wants the peer to watch the key at its replicas, which have no room for it; `remote`: wants
 * the same because it cannot reach them.
 */
export type WatchRole = 'prompt' | 'patient' | 'forwarder' | ForwardRole

/**
 * The kind of watcher that wants a key forwarded: its replicas have no room for it, or it cannot reach them.
 */
export type ForwardRole = 'dependant' | 'remote'

/** Whether a watcher depends on what its notifier watches for it. */
export function isForwarding(role: WatchRole): role is ForwardRole {
  return role === 'dependant' || role === 'remote'
}

/** A key, or one subkey of its dictionary, of which alone a subscriber is notified. */
export interface WatchedPlace {
  readonly key: Uint8Array
  readonly subkey?: SubkeyId | undefined
}

export interface WatchedDigest extends WatchedPlace {
  /** Of the record that is known already; without a byte if none is. */
  readonly digest: Uint8Array
}

/** Unsubscribes from keys. */
export interface UnwatchRequest {
  readonly name: 'unwatch'
  readonly keys: readonly WatchedPlace[]
}

/** Answers as many of the first keys of the oldest unanswered request as fit. */
export interface WatchedReply {
  readonly name: 'watched'
  readonly peers: readonly EncodedPeer[]
  readonly answers: readonly WatchedAnswer[]
}

export interface WatchedAnswer {
  readonly state: WatchState

  /** The held record, if there is one that the watcher does not know already. */
  readonly record?: Uint8Array | undefined

  /** Closer peers; if there is no room, before them some that may forward changes. */
  readonly closer: readonly number[]
}

/**
 * Notifies of a change: the write, to be joined with the known record. Of a subkey, a projection.
 */
export interface ChangedNotice extends WatchedPlace {
  readonly name: 'changed'
  readonly record: Uint8Array
}

/**
 * State of a subscription: active; refused for want of room for any key; ended as requested; refused
 * because too many subscribe to this key.
 */
export type WatchState = 'watched' | 'refused' | 'ended' | 'full'

export type WatchMessage = WatchRequest | UnwatchRequest | WatchedReply | ChangedNotice

const STATES: readonly WatchState[] = ['watched', 'refused', 'ended', 'full']
const ROLES: readonly WatchRole[] = ['prompt', 'patient', 'forwarder', 'dependant', 'remote']

const PLACE = { key: KEY, subkey: OPTIONAL_SUBKEY } as const
const WATCHED_DIGEST = struct<WatchedDigest>({
  ...PLACE,
  digest: byteString(DIGEST_BYTES, 'a digest')
})
const WATCHED = struct<WatchedAnswer>({
  state: oneOf(STATES, 'state'),
  record: optional(RECORD),
  closer: CLOSER_PEER_INDEXES
})

/** The protocol's id in the default network; see {@link protocolIdIn}. */
export const WATCH_PROTOCOL = '/waggle/watch/2.0.0'

/** The messages of the watch protocol; docs/network.md describes them. */
export const WATCH: MessageCodec<WatchMessage> = messages<WatchMessage>({
  watch: [
    0,
    {
      ...{ closerCount: CLOSER_COUNT, role: oneOf(ROLES, 'role') },
      keys: list(WATCHED_DIGEST, MAX_KEYS_PER_MESSAGE)
    }
  ],
  unwatch: [1, { keys: list(struct<WatchedPlace>(PLACE), MAX_KEYS_PER_MESSAGE) }],
  watched: [2, { peers: RESPONSE_PEERS, answers: list(WATCHED, MAX_KEYS_PER_MESSAGE) }],
  changed: [3, { ...PLACE, record: RECORD }]
})

/** Returns a frame that notifies of a change, for all subscribers of a place; undefined if no message can hold it. */
export function changedFrame(change: Omit<ChangedNotice, 'name'>): Uint8Array | undefined {
  const writer = new ByteWriter()

  try {
    writeFrame(writer, { name: 'changed', ...change }, WATCH)
    return writer.take()
  } catch (error) {
    if (error instanceof MessageTooLargeError) {
      return undefined
    }

    throw error
  }
}
