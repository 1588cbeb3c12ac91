import {
  readCloserCount,
  readFlag,
  readIndexes,
  readItems,
  readKey,
  readPeers,
  writeIndexes,
  writePeers
} from '../exchange/messages.ts'
import { DIGEST_BYTES } from '../store/record-digest.ts'
import { ByteReader, ByteWriter } from '../wire/bytes.ts'
import { type Language, writeFrame } from '../wire/frames.ts'
import { MAX_KEYS_PER_MESSAGE, MAX_MESSAGE_BYTES } from '../wire/limits.ts'
import type { EncodedPeer } from '../wire/peer-codec.ts'
import { ExchangeProtocolError } from '../wire/protocol-error.ts'

/** Asks to be told of changes, or goes on asking; and for what is held by now. */
export interface WatchRequest {
  readonly name: 'watch'

  /** How many near peers are wanted for each key. */
  readonly closerCount: number

  /** Whether changes may be collected for a moment: others tell of them at once. */
  readonly isUnhurried: boolean
  readonly keys: readonly {
    readonly key: Uint8Array

    /** Of the record that is known already; without a byte if none is. */
    readonly digest: Uint8Array
  }[]
}

/** Wants no more to be told. */
export interface UnwatchRequest {
  readonly name: 'unwatch'
  readonly keys: readonly Uint8Array[]
}

/** Answers the first keys of the oldest request without an answer; the others are to be asked for again. */
export interface WatchedReply {
  readonly name: 'watched'
  readonly peers: readonly EncodedPeer[]
  readonly answers: readonly WatchedAnswer[]
}

export interface WatchedAnswer {
  readonly state: WatchState

  /** What is held, if anything is, and it is not what is known already. */
  readonly record?: Uint8Array
  readonly closer: readonly number[]
}

/** Tells of a change: what was written, to be joined with what is known. */
export interface ChangedNotice {
  readonly name: 'changed'
  readonly key: Uint8Array
  readonly record: Uint8Array
}

/** Whether changes will be told: they will; there is no room for that; no more, as was wanted. */
export type WatchState = 'watched' | 'refused' | 'ended'

export type WatchMessage = WatchRequest | UnwatchRequest | WatchedReply | ChangedNotice

const TYPES = { watch: 0, unwatch: 1, watched: 2, changed: 3 } as const
const STATES: readonly WatchState[] = ['watched', 'refused', 'ended']
const UNHURRIED = 1
const NOTHING = new Uint8Array(0)

/** What is spoken on streams of the watch protocol. */
export const WATCHING: Language<WatchMessage> = {
  read: readWatchMessage,
  write: writeWatchMessage
}

/** A frame that tells of a change, for all who want to be told. */
export function changedFrame(key: Uint8Array, record: Uint8Array): Uint8Array {
  const writer = new ByteWriter()
  writeFrame(writer, { name: 'changed', key, record }, WATCHING)
  return writer.take()
}

/** Writes a message; docs/network.md has the layout. */
export function writeWatchMessage(to: ByteWriter, message: WatchMessage): void {
  to.byte(TYPES[message.name])

  switch (message.name) {
    case 'watch':
      writeWatch(to, message)
      break
    case 'unwatch':
      writeUnwatch(to, message)
      break
    case 'watched':
      writeWatched(to, message)
      break
    case 'changed':
      to.byteString(message.key)
      to.byteString(message.record)
      break
  }
}

/**
 * Reads a message. Its byte strings are views of `bytes`.
 *
 * @throws ExchangeProtocolError for anything that {@link writeWatchMessage} does not write
 */
export function readWatchMessage(bytes: Uint8Array): WatchMessage {
  const from = new ByteReader(bytes)
  const message = readBody(from, from.byte())
  from.end()
  return message
}

function readBody(from: ByteReader, type: number): WatchMessage {
  switch (type) {
    case TYPES.watch:
      return readWatch(from)
    case TYPES.unwatch:
      return { name: 'unwatch', keys: readItems(from, MAX_KEYS_PER_MESSAGE, () => readKey(from)) }
    case TYPES.watched:
      return readWatched(from)
    case TYPES.changed:
      return { name: 'changed', key: readKey(from), record: readRecord(from) }
    default:
      throw new ExchangeProtocolError(`there is no message type ${type}`)
  }
}

function writeWatch(to: ByteWriter, { closerCount, isUnhurried, keys }: WatchRequest): void {
  to.varint(closerCount)
  to.byte(isUnhurried ? UNHURRIED : 0)
  to.varint(keys.length)

  for (const { key, digest } of keys) {
    to.byteString(key)
    to.byteString(digest)
  }
}

function readWatch(from: ByteReader): WatchRequest {
  const closerCount = readCloserCount(from)
  const isUnhurried = readFlag(from, UNHURRIED, 'WATCH')
  const keys = readItems(from, MAX_KEYS_PER_MESSAGE, () => ({
    key: readKey(from),
    digest: from.byteString(DIGEST_BYTES, 'a digest')
  }))

  return { name: 'watch', closerCount, isUnhurried, keys }
}

function writeUnwatch(to: ByteWriter, { keys }: UnwatchRequest): void {
  to.varint(keys.length)

  for (const key of keys) {
    to.byteString(key)
  }
}

function writeWatched(to: ByteWriter, { peers, answers }: WatchedReply): void {
  writePeers(to, peers)
  to.varint(answers.length)

  for (const { state, record, closer } of answers) {
    to.byte(STATES.indexOf(state))
    to.byteString(record ?? NOTHING)
    writeIndexes(to, closer)
  }
}

function readWatched(from: ByteReader): WatchedReply {
  const peers = readPeers(from)
  const answers = readItems(from, MAX_KEYS_PER_MESSAGE, () => {
    const state = readState(from)
    const record = readRecord(from)
    const closer = readIndexes(from, peers.length)
    return record.length === 0 ? { state, closer } : { state, record, closer }
  })

  return { name: 'watched', peers, answers }
}

function readState(from: ByteReader): WatchState {
  const code = from.byte()
  const state = STATES[code]

  if (state === undefined) {
    throw new ExchangeProtocolError(`there is no state ${code}`)
  }

  return state
}

function readRecord(from: ByteReader): Uint8Array {
  return from.byteString(MAX_MESSAGE_BYTES, 'a record')
}
