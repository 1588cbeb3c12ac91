import type { Rejection } from '@waggle/record'
import { ByteReader, type ByteWriter } from '../wire/bytes.ts'
import type { Language } from '../wire/frames.ts'
import {
  MAX_ADDRESS_BYTES,
  MAX_ADDRESSES_PER_PEER,
  MAX_CLOSER_PEERS,
  MAX_KEY_BYTES,
  MAX_KEYS_PER_MESSAGE,
  MAX_MESSAGE_BYTES,
  MAX_PEER_ID_BYTES,
  MAX_PEERS_PER_MESSAGE,
  MAX_REQUEST_ID
} from '../wire/limits.ts'
import type { EncodedPeer } from '../wire/peer-codec.ts'
import { ExchangeProtocolError } from '../wire/protocol-error.ts'

/** Asks for records, and for the peers that are known to be near their keys. */
export interface FindRequest {
  readonly name: 'find'
  readonly id: number

  /** How many near peers are wanted for each key. */
  readonly closerCount: number

  /** Whether they are wanted, too, for keys of which a record is held. */
  readonly isCloserAlways: boolean
  readonly keys: readonly Uint8Array[]
}

/** Asks for writes to be held. */
export interface StoreRequest {
  readonly name: 'store'
  readonly id: number
  readonly closerCount: number

  /** Whether these are copies, to be remembered as long as there is room, and no replicas. */
  readonly isCopy: boolean
  readonly writes: readonly { readonly key: Uint8Array; readonly record: Uint8Array }[]
}

/** Answers the first keys of a FIND, as many as fit; the others are to be asked for again. */
export interface FoundReply {
  readonly name: 'found'
  readonly id: number
  readonly peers: readonly EncodedPeer[]
  readonly answers: readonly { readonly record?: Uint8Array; readonly closer: readonly number[] }[]
}

/** Answers all writes of a STORE. */
export interface StoredReply {
  readonly name: 'stored'
  readonly id: number
  readonly peers: readonly EncodedPeer[]
  readonly answers: readonly { readonly outcome: WireOutcome; readonly closer: readonly number[] }[]
}

/** Answers any request: the peer has too much to do. Nothing of it was done. */
export interface BusyReply {
  readonly name: 'busy'
  readonly id: number
}

export type Message = FindRequest | StoreRequest | FoundReply | StoredReply | BusyReply

/** What a replica made of a write; `invalid`: it broke a rule; `refused`: one of the replica's own. */
export type WireOutcome = 'accepted' | Rejection | 'invalid' | 'refused'

const TYPES = { find: 0, store: 1, found: 2, stored: 3, busy: 8 } as const
const OUTCOMES: readonly WireOutcome[] = [
  'accepted',
  'stale',
  'full',
  'expired',
  'invalid',
  'refused'
]
const CLOSER_ALWAYS = 1
const COPY = 1

/** Writes a message; docs/network.md has the layout. */
export function writeMessage(to: ByteWriter, message: Message): void {
  to.byte(TYPES[message.name])
  to.varint(message.id)

  switch (message.name) {
    case 'find':
      writeFind(to, message)
      break
    case 'store':
      writeStore(to, message)
      break
    case 'found':
      writeFound(to, message)
      break
    case 'stored':
      writeStored(to, message)
      break
    case 'busy':
      break
  }
}

/**
 * Reads a message. Its byte strings are views of `bytes`.
 *
 * @throws ExchangeProtocolError for anything that {@link writeMessage} does not write
 */
export function readMessage(bytes: Uint8Array): Message {
  const from = new ByteReader(bytes)
  const type = from.byte()
  const id = from.varint(MAX_REQUEST_ID, 'a request id')
  const message = readBody(from, type, id)
  from.end()
  return message
}

function readBody(from: ByteReader, type: number, id: number): Message {
  switch (type) {
    case TYPES.find:
      return readFind(from, id)
    case TYPES.store:
      return readStore(from, id)
    case TYPES.found:
      return readFound(from, id)
    case TYPES.stored:
      return readStored(from, id)
    case TYPES.busy:
      return { name: 'busy', id }
    default:
      throw new ExchangeProtocolError(`there is no message type ${type}`)
  }
}

/** What is spoken on streams of the exchange. */
export const EXCHANGE: Language<Message> = { read: readMessage, write: writeMessage }

function writeFind(to: ByteWriter, message: FindRequest): void {
  to.varint(message.closerCount)
  to.byte(message.isCloserAlways ? CLOSER_ALWAYS : 0)
  to.varint(message.keys.length)

  for (const key of message.keys) {
    to.byteString(key)
  }
}

function readFind(from: ByteReader, id: number): FindRequest {
  const closerCount = readCloserCount(from)
  const isCloserAlways = readFlag(from, CLOSER_ALWAYS, 'FIND')
  const keys = readItems(from, MAX_KEYS_PER_MESSAGE, () => readKey(from))
  return { name: 'find', id, closerCount, isCloserAlways, keys }
}

function writeStore(to: ByteWriter, message: StoreRequest): void {
  to.varint(message.closerCount)
  to.byte(message.isCopy ? COPY : 0)
  to.varint(message.writes.length)

  for (const { key, record } of message.writes) {
    to.byteString(key)
    to.byteString(record)
  }
}

function readStore(from: ByteReader, id: number): StoreRequest {
  const closerCount = readCloserCount(from)
  const isCopy = readFlag(from, COPY, 'STORE')
  const writes = readItems(from, MAX_KEYS_PER_MESSAGE, () => ({
    key: readKey(from),
    record: from.byteString(MAX_MESSAGE_BYTES, 'a record')
  }))

  return { name: 'store', id, closerCount, isCopy, writes }
}

function writeFound(to: ByteWriter, { peers, answers }: FoundReply): void {
  writePeers(to, peers)
  to.varint(answers.length)

  for (const { record, closer } of answers) {
    to.byteString(record ?? NOTHING)
    writeIndexes(to, closer)
  }
}

const NOTHING = new Uint8Array(0)

function readFound(from: ByteReader, id: number): FoundReply {
  const peers = readPeers(from)
  const answers = readItems(from, MAX_KEYS_PER_MESSAGE, () => {
    const record = from.byteString(MAX_MESSAGE_BYTES, 'a record')
    const closer = readIndexes(from, peers.length)
    return record.length === 0 ? { closer } : { record, closer }
  })

  return { name: 'found', id, peers, answers }
}

function writeStored(to: ByteWriter, { peers, answers }: StoredReply): void {
  writePeers(to, peers)
  to.varint(answers.length)

  for (const { outcome, closer } of answers) {
    to.byte(OUTCOMES.indexOf(outcome))
    writeIndexes(to, closer)
  }
}

function readStored(from: ByteReader, id: number): StoredReply {
  const peers = readPeers(from)
  const answers = readItems(from, MAX_KEYS_PER_MESSAGE, () => ({
    outcome: readOutcome(from),
    closer: readIndexes(from, peers.length)
  }))

  return { name: 'stored', id, peers, answers }
}

function readOutcome(from: ByteReader): WireOutcome {
  const code = from.byte()
  const outcome = OUTCOMES[code]

  if (outcome === undefined) {
    throw new ExchangeProtocolError(`there is no outcome ${code}`)
  }

  return outcome
}

export function writePeers(to: ByteWriter, peers: readonly EncodedPeer[]): void {
  to.varint(peers.length)

  for (const { id, addresses } of peers) {
    to.byteString(id)
    to.varint(addresses.length)

    for (const address of addresses) {
      to.byteString(address)
    }
  }
}

export function readPeers(from: ByteReader): EncodedPeer[] {
  return readItems(from, MAX_PEERS_PER_MESSAGE, () => ({
    id: from.byteString(MAX_PEER_ID_BYTES, 'a peer id'),
    addresses: readItems(from, MAX_ADDRESSES_PER_PEER, () =>
      from.byteString(MAX_ADDRESS_BYTES, 'an address')
    )
  }))
}

export function writeIndexes(to: ByteWriter, indexes: readonly number[]): void {
  to.varint(indexes.length)

  for (const index of indexes) {
    to.varint(index)
  }
}

export function readIndexes(from: ByteReader, peers: number): number[] {
  return readItems(from, MAX_CLOSER_PEERS, () => from.varint(peers - 1, 'the place of a peer'))
}

export function readItems<T>(from: ByteReader, most: number, read: () => T): T[] {
  const count = from.varint(most, 'a count')
  const items: T[] = []

  for (let i = 0; i < count; i++) {
    items.push(read())
  }

  return items
}

export function readCloserCount(from: ByteReader): number {
  return from.varint(MAX_CLOSER_PEERS, 'the number of near peers')
}

/** The only flag that there is. */
export function readFlag(from: ByteReader, flag: number, what: string): boolean {
  const flags = from.byte()

  if (flags > flag) {
    throw new ExchangeProtocolError(`a ${what} has unknown flags ${flags}`)
  }

  return flags === flag
}

export function readKey(from: ByteReader): Uint8Array {
  return from.byteString(MAX_KEY_BYTES, 'a key')
}
