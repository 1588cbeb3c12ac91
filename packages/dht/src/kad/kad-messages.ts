import { ByteWriter } from '../wire/bytes.ts'
import { isEncodedAddressList } from '../wire/host-names.ts'
import { MAX_ADDRESS_BYTES, MAX_ADDRESSES_PER_PEER, MAX_KEY_BYTES } from '../wire/limits.ts'
import {
  AS_BYTES,
  AS_VARINT,
  assertVarint,
  bytesOf,
  type FieldRules,
  fieldsBy,
  keepUpTo,
  type ProtobufField,
  protobufFields,
  writeBytesField,
  writeVarintField
} from '../wire/protobuf.ts'

/** Peers of each kind in one of kad-dht's messages: more than a bucket holds. */
export const MAX_NAMED_PEERS = 64

/** Types of kad-dht's messages (libp2p specs, kad-dht, "RPC messages"). */
export const PUT_VALUE = 0
export const GET_VALUE = 1
export const ADD_PROVIDER = 2
export const GET_PROVIDERS = 3
export const FIND_NODE = 4
export const PING = 5

/** Bytes of the time in a record. */
const MAX_TIME_BYTES = 64

/** The fields of a message, of a peer in it, and of a record in it. */
const MESSAGE = { type: 1, key: 2, record: 3, closer: 8, providers: 9, clusterLevel: 10 } as const
const PEER = { id: 1, address: 2, connection: 3 } as const
const RECORD = { key: 1, value: 2, timeReceived: 5 } as const

const RECORD_RULES: FieldRules = {
  [RECORD.key]: assertKey,
  [RECORD.value]: AS_BYTES,
  [RECORD.timeReceived]: keepUpTo(Number.POSITIVE_INFINITY, MAX_TIME_BYTES)
}

/** The fields of a kad-dht message that a guard needs. They are views. */
export interface KadMessage {
  readonly type: number
  readonly key: Uint8Array | undefined
  readonly record: Uint8Array | undefined
  readonly closer: readonly Uint8Array[]
  readonly providers: readonly Uint8Array[]

  /** The encoded field, which is passed on unread. */
  readonly clusterLevel: Uint8Array | undefined
}

/**
 * Reads a message without decoding its peers.
 *
 * @throws ProtocolViolationError when it is not a message of kad-dht
 */
export function readKadMessage(bytes: Uint8Array): KadMessage {
  const peers: { closer: Uint8Array[]; providers: Uint8Array[] } = { closer: [], providers: [] }
  const scalars: Scalars = { type: PUT_VALUE }

  for (const field of protobufFields(bytes)) {
    readField(field, { ...peers, scalars })
  }

  const { type, key, record, level } = scalars

  if (type > PING) {
    throw new Error(`this node knows no messages of kad-dht of type ${type}`)
  }

  return { type, key, record, ...peers, clusterLevel: level }
}

interface Scalars {
  type: number
  key?: Uint8Array
  record?: Uint8Array
  level?: Uint8Array
}

interface KadFields {
  readonly closer: Uint8Array[]
  readonly providers: Uint8Array[]
  readonly scalars: Scalars
}

function readField(field: ProtobufField, { closer, providers, scalars }: KadFields): void {
  switch (field.number) {
    case MESSAGE.type:
      assertVarint(field)
      scalars.type = field.value
      break
    case MESSAGE.clusterLevel:
      assertVarint(field)
      scalars.level = field.raw
      break
    case MESSAGE.key:
      scalars.key = assertKey(bytesOf(field))
      break
    case MESSAGE.record:
      scalars.record = fieldsBy(bytesOf(field), RECORD_RULES)
      break
    case MESSAGE.closer:
      closer.push(bytesOf(field))
      break
    case MESSAGE.providers:
      providers.push(bytesOf(field))
  }
}

/** Checks a key's length: kad-dht encodes each requested key as text. */
function assertKey(key: Uint8Array): Uint8Array {
  if (key.length > MAX_KEY_BYTES) {
    throw new RangeError(`a key has ${key.length} bytes, at most ${MAX_KEY_BYTES} are allowed`)
  }

  return key
}

/** Writes a message with a bounded number of peers, and of addresses of each. */
export function writeKadMessage(message: KadMessage): Uint8Array {
  const { type, key, record, closer, providers, clusterLevel } = message
  const writer = new ByteWriter()

  if (type !== PUT_VALUE) {
    writeVarintField(writer, MESSAGE.type, type)
  }

  if (clusterLevel !== undefined) {
    writer.bytes(clusterLevel)
  }

  if (key !== undefined) {
    writeBytesField(writer, MESSAGE.key, key)
  }

  if (record !== undefined) {
    writeBytesField(writer, MESSAGE.record, record)
  }

  writePeers(writer, MESSAGE.closer, closer)
  writePeers(writer, MESSAGE.providers, providers)
  return writer.take()
}

/** The key that a record is stored under: the record's own, which may differ from the message's. */
export function keyOfRecord(record: Uint8Array): Uint8Array | undefined {
  let key: Uint8Array | undefined

  for (const field of protobufFields(record)) {
    if (field.number === RECORD.key) {
      key = bytesOf(field)
    }
  }

  return key
}

function writePeers(writer: ByteWriter, number: number, peers: readonly Uint8Array[]): void {
  for (const peer of peers.slice(0, MAX_NAMED_PEERS)) {
    writeBytesField(writer, number, withFewAddresses(peer))
  }
}

/** A peer with a bounded number of addresses. */
function withFewAddresses(peer: Uint8Array): Uint8Array {
  const keep = keepUpTo(MAX_ADDRESSES_PER_PEER, MAX_ADDRESS_BYTES)
  return fieldsBy(peer, {
    [PEER.id]: AS_BYTES,
    [PEER.address]: (address) => (isEncodedAddressList(address) ? undefined : keep(address)),
    [PEER.connection]: AS_VARINT
  })
}
