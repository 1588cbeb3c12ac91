import { ByteWriter } from '../wire/bytes.ts'
import { isEncodedAddressList } from '../wire/host-names.ts'
import { MAX_ADDRESS_BYTES, MAX_ADDRESSES_PER_PEER } from '../wire/limits.ts'
import {
  changedFields,
  keepUpTo,
  protobufFields,
  writeBytesField,
  writeVarintField
} from '../wire/protobuf.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'

/** Peers that one of kad-dht's messages names, of each kind. More than a bucket holds. */
export const MAX_NAMED_PEERS = 64

/** Types of kad-dht's messages (libp2p specs, kad-dht, "RPC messages"). */
export const PUT_VALUE = 0
export const GET_VALUE = 1
export const ADD_PROVIDER = 2
export const GET_PROVIDERS = 3
export const FIND_NODE = 4
export const PING = 5

/** The fields of a message, of a peer in it, and of a record in it. */
const MESSAGE = { type: 1, key: 2, record: 3, closer: 8, providers: 9, clusterLevel: 10 } as const
const PEER = { address: 2 } as const
const RECORD = { key: 1 } as const

/** One of kad-dht's messages, as far as it matters to whoever lets it in. Its parts are views. */
export interface KadMessage {
  readonly type: number
  readonly key: Uint8Array | undefined
  readonly record: Uint8Array | undefined
  readonly closer: readonly Uint8Array[]
  readonly providers: readonly Uint8Array[]

  /** The whole field: nobody looks at what it says. */
  readonly clusterLevel: Uint8Array | undefined
}

/**
 * Reads a message without reading the peers that it names.
 *
 * @throws ProtocolViolationError when it is none of kad-dht's
 */
export function readKadMessage(bytes: Uint8Array): KadMessage {
  const peers: { closer: Uint8Array[]; providers: Uint8Array[] } = { closer: [], providers: [] }
  const scalars: { type: number; key?: Uint8Array; record?: Uint8Array; level?: Uint8Array } = {
    type: PUT_VALUE
  }

  for (const { number, value, bytes: content, raw } of protobufFields(bytes)) {
    if (number === MESSAGE.type) {
      scalars.type = value
    } else if (number === MESSAGE.clusterLevel) {
      scalars.level = raw
    } else if (content !== undefined) {
      readContent(number, content, { ...peers, scalars })
    }
  }

  const { type, key, record, level } = scalars

  if (type > PING) {
    throw new ProtocolViolationError(`kad-dht has no messages of type ${type}`)
  }

  return { type, key, record, ...peers, clusterLevel: level }
}

function readContent(
  number: number,
  content: Uint8Array,
  {
    closer,
    providers,
    scalars
  }: {
    closer: Uint8Array[]
    providers: Uint8Array[]
    scalars: { key?: Uint8Array; record?: Uint8Array }
  }
): void {
  switch (number) {
    case MESSAGE.key:
      scalars.key = content
      break
    case MESSAGE.record:
      scalars.record = content
      break
    case MESSAGE.closer:
      closer.push(content)
      break
    case MESSAGE.providers:
      providers.push(content)
  }
}

/** Writes a message with no more peers, and addresses of each, than anybody needs to be told. */
export function writeKadMessage(message: KadMessage): Uint8Array {
  const { type, key, record, closer, providers, clusterLevel } = message
  const writer = new ByteWriter()

  if (type !== PUT_VALUE) {
    writeVarintField(writer, MESSAGE.type, type)
  }

  if (clusterLevel !== undefined) {
    writer.bytes(clusterLevel)
  }

  for (const [number, content] of [
    [MESSAGE.key, key],
    [MESSAGE.record, record]
  ] as const) {
    if (content !== undefined) {
      writeBytesField(writer, number, content)
    }
  }

  writePeers(writer, MESSAGE.closer, closer)
  writePeers(writer, MESSAGE.providers, providers)
  return writer.take()
}

/** The key that a record is stored under: its own, whatever the message around it says. */
export function keyOfRecord(record: Uint8Array): Uint8Array | undefined {
  let key: Uint8Array | undefined

  for (const { number, bytes } of protobufFields(record)) {
    if (number === RECORD.key) {
      key = bytes
    }
  }

  return key
}

function writePeers(writer: ByteWriter, number: number, peers: readonly Uint8Array[]): void {
  for (const peer of peers.slice(0, MAX_NAMED_PEERS)) {
    writeBytesField(writer, number, withFewAddresses(peer))
  }
}

/** A peer as others may name it. */
function withFewAddresses(peer: Uint8Array): Uint8Array {
  const keep = keepUpTo(MAX_ADDRESSES_PER_PEER, MAX_ADDRESS_BYTES)
  return changedFields(peer, {
    [PEER.address]: (address) => (isEncodedAddressList(address) ? undefined : keep(address))
  })
}
