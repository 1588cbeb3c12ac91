import { MalformedBytesError } from '../errors.ts'
import { ID_BYTES } from '../keys/dht-id.ts'
import type { FoundBytes, StoreItem } from './items.ts'
import { ProtobufReader, ProtobufWriter } from './protobuf.ts'

/*
 * The messages of DHTProtocol (proto3). Field 1 of each is for an authorizer, which is not in use.
 * A server sends its id in each message; a client's NodeInfo is empty, but present.
 */

/** A sender's node id; undefined for a client. */
export type SenderId = Uint8Array | undefined

export interface PingRequest {
  readonly sender: SenderId

  /** Whether to ping the sender back before answering. */
  readonly isValidated: boolean
}

export interface PingResponse {
  readonly sender: SenderId

  /** DHT time; 0 if the peer sends none. */
  readonly dhtTime: number

  /** Whether the sender could be pinged back. */
  readonly isAvailable: boolean
}

export interface StoreRequest {
  readonly sender: SenderId
  readonly items: readonly StoreItem[]
}

export interface StoreResponse {
  readonly sender: SenderId

  /** Whether each item was accepted. */
  readonly stored: readonly boolean[]
}

export interface FindRequest {
  readonly sender: SenderId
  readonly keys: readonly Uint8Array[]
}

/** A node in a response. Its addresses are not included. */
export interface NamedNode {
  readonly nodeId: Uint8Array

  /** The peer id's multihash. */
  readonly peerId: Uint8Array
}

export interface FindResult {
  readonly found: FoundBytes | undefined

  /** Nodes near to the key, nearest first. */
  readonly nearest: readonly NamedNode[]
}

export interface FindResponse {
  readonly sender: SenderId
  readonly results: readonly FindResult[]
}

/** Fields of one result: two for each of the nodes in it, of which Hivemind names 20. */
const MAX_RESULT_FIELDS = 4096

/** Types of results. */
const PLAIN = 1
const DICTIONARY = 2

export function encodePingRequest({ sender, isValidated }: PingRequest): Uint8Array {
  return new ProtobufWriter().bytes(2, nodeInfo(sender)).uint(3, Number(isValidated)).finish()
}

export function decodePingRequest(bytes: Uint8Array): PingRequest {
  const from = new ProtobufReader(bytes)
  return { sender: senderIn(from.bytes(2)), isValidated: from.uint(3) !== 0 }
}

export function encodePingResponse({ sender, dhtTime, isAvailable }: PingResponse): Uint8Array {
  return new ProtobufWriter()
    .bytes(2, nodeInfo(sender))
    .double(4, dhtTime)
    .uint(5, Number(isAvailable))
    .finish()
}

export function decodePingResponse(bytes: Uint8Array): PingResponse {
  const from = new ProtobufReader(bytes)
  return {
    sender: senderIn(from.bytes(2)),
    dhtTime: from.double(4),
    isAvailable: from.uint(5) !== 0
  }
}

export function encodeStoreRequest({ sender, items }: StoreRequest): Uint8Array {
  return new ProtobufWriter()
    .allBytes(
      2,
      items.map(({ key }) => key)
    )
    .allBytes(
      3,
      items.map(({ subkey }) => subkey)
    )
    .allBytes(
      4,
      items.map(({ value }) => value)
    )
    .packedDoubles(
      5,
      items.map(({ expirationTime }) => expirationTime)
    )
    .packedBooleans(
      6,
      items.map(({ isInCache }) => isInCache)
    )
    .bytes(7, nodeInfo(sender))
    .finish()
}

/** @throws MalformedBytesError, also when the fields differ in length */
export function decodeStoreRequest(bytes: Uint8Array): StoreRequest {
  const from = new ProtobufReader(bytes)
  const keys = from.allBytes(2).map(idIn)
  const subkeys = from.allBytes(3)
  const values = from.allBytes(4)
  const expirations = from.doubles(5)
  const inCache = from.booleans(6)
  const lengths = [subkeys.length, values.length, expirations.length, inCache.length]

  if (lengths.some((length) => length !== keys.length)) {
    throw new MalformedBytesError(`${keys.length} keys come with ${lengths.join(', ')} parts`)
  }

  const items = keys.map((key, i) => ({
    key,
    subkey: subkeys[i] as Uint8Array,
    value: values[i] as Uint8Array,
    expirationTime: expirations[i] as number,
    isInCache: inCache[i] as boolean
  }))
  return { sender: senderIn(from.bytes(7)), items }
}

export function encodeStoreResponse({ sender, stored }: StoreResponse): Uint8Array {
  return new ProtobufWriter().packedBooleans(2, stored).bytes(3, nodeInfo(sender)).finish()
}

export function decodeStoreResponse(bytes: Uint8Array): StoreResponse {
  const from = new ProtobufReader(bytes)
  return { sender: senderIn(from.bytes(3)), stored: from.booleans(2) }
}

export function encodeFindRequest({ sender, keys }: FindRequest): Uint8Array {
  return new ProtobufWriter().allBytes(2, keys).bytes(3, nodeInfo(sender)).finish()
}

export function decodeFindRequest(bytes: Uint8Array): FindRequest {
  const from = new ProtobufReader(bytes)
  return { sender: senderIn(from.bytes(3)), keys: from.allBytes(2).map(idIn) }
}

export function encodeFindResponse({ sender, results }: FindResponse): Uint8Array {
  return joinFindResults(sender, results.map(encodeFindResult))
}

/** Encodes a response of encoded results. */
export function joinFindResults(sender: SenderId, results: readonly Uint8Array[]): Uint8Array {
  return new ProtobufWriter().allBytes(2, results).bytes(3, nodeInfo(sender)).finish()
}

/** Encodes one result of a response. */
export function encodeFindResult({ found, nearest }: FindResult): Uint8Array {
  const to = new ProtobufWriter()

  if (found !== undefined) {
    to.uint(1, found.isDictionary ? DICTIONARY : PLAIN)
      .someBytes(2, found.value)
      .double(3, found.expirationTime)
  }

  return to
    .allBytes(
      4,
      nearest.map(({ nodeId }) => nodeId)
    )
    .allBytes(
      5,
      nearest.map(({ peerId }) => peerId)
    )
    .finish()
}

/** Reads a response, and of its results as many as were requested. */
export function decodeFindResponse(
  bytes: Uint8Array,
  maxResults: number = Number.POSITIVE_INFINITY
): FindResponse {
  const from = new ProtobufReader(bytes)
  const results = from.allBytes(2).slice(0, maxResults)
  return { sender: senderIn(from.bytes(3)), results: results.map(decodeFindResult) }
}

function decodeFindResult(bytes: Uint8Array): FindResult {
  const from = new ProtobufReader(bytes, MAX_RESULT_FIELDS)
  const peerIds = from.allBytes(5)
  const nearest = from.allBytes(4).flatMap((nodeId, i) => {
    const peerId = peerIds[i]
    return peerId === undefined ? [] : [{ nodeId: idIn(nodeId), peerId }]
  })
  return { found: foundIn(from), nearest }
}

function foundIn(from: ProtobufReader): FoundBytes | undefined {
  const type = from.uint(1)
  const value = from.bytes(2) ?? NOTHING
  const expirationTime = from.double(3)
  const isFound = type === PLAIN || type === DICTIONARY
  return isFound ? { isDictionary: type === DICTIONARY, value, expirationTime } : undefined
}

const NOTHING = new Uint8Array(0)

function nodeInfo(sender: SenderId): Uint8Array {
  return sender === undefined ? NOTHING : new ProtobufWriter().bytes(1, sender).finish()
}

function senderIn(nodeInfo: Uint8Array | undefined): SenderId {
  const nodeId = nodeInfo && new ProtobufReader(nodeInfo).bytes(1)
  return nodeId === undefined || nodeId.length === 0 ? undefined : idIn(nodeId)
}

/** Restores an id's leading zeros, which Python omits. */
function idIn(bytes: Uint8Array): Uint8Array {
  if (bytes.length === ID_BYTES) {
    return bytes
  }

  if (bytes.length > ID_BYTES) {
    throw new MalformedBytesError(`an id has ${bytes.length} bytes, not ${ID_BYTES}`)
  }

  const id = new Uint8Array(ID_BYTES)
  id.set(bytes, ID_BYTES - bytes.length)
  return id
}
