import { randomBytes } from 'node:crypto'
import type { Connection, Stream } from '@libp2p/interface'
import { Record as Libp2pRecord } from '@libp2p/kad-dht'
import { multiaddr } from '@multiformats/multiaddr'
import { recordKey } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { type KadServices, requestGuard, responseGuard } from '../../src/kad/kad-guard.ts'
import {
  ADD_PROVIDER,
  FIND_NODE,
  GET_PROVIDERS,
  GET_VALUE,
  type KadMessage,
  MAX_NAMED_PEERS,
  PING,
  PUT_VALUE,
  readKadMessage,
  writeKadMessage
} from '../../src/kad/kad-messages.ts'
import { ByteWriter } from '../../src/wire/bytes.ts'
import { MAX_ADDRESSES_PER_PEER, MAX_KEY_BYTES } from '../../src/wire/limits.ts'
import {
  MAX_PROTOBUF_FIELDS,
  protobufFields,
  writeBytesField,
  writeVarintField
} from '../../src/wire/protobuf.ts'
import { ProtocolViolationError } from '../../src/wire/protocol-violation-error.ts'

const OURS: KadServices = { namespaces: new Set(['waggle']), areProvidersKept: false }
const ALL: KadServices = { namespaces: new Set(['waggle', 'pk']), areProvidersKept: true }
const PEER_ID = 1
const PEER_ADDRESS = 2
const PROVIDERS = 9

function message(parts: Partial<KadMessage>): KadMessage {
  const empty = { key: undefined, record: undefined, clusterLevel: undefined }
  return { type: PING, closer: [], providers: [], ...empty, ...parts }
}

function field(number: number, bytes: Uint8Array): Uint8Array {
  const writer = new ByteWriter()
  writeBytesField(writer, number, bytes)
  return writer.take()
}

/** Random bytes may be a list of addresses in DNS, which is left out. */
const ADDRESS = multiaddr('/ip4/56.56.56.56/tcp/14392').bytes

function peer(addresses: number, address: Uint8Array = ADDRESS): Uint8Array {
  const writer = new ByteWriter()
  writeBytesField(writer, PEER_ID, randomBytes(34))

  for (let i = 0; i < addresses; i++) {
    writeBytesField(writer, PEER_ADDRESS, address)
  }

  return writer.take()
}

function addressesOf(named: Uint8Array | undefined): number {
  return [...protobufFields(named ?? new Uint8Array())].filter((f) => f.number === PEER_ADDRESS)
    .length
}

function received(parts: Partial<KadMessage>, services: KadServices = OURS): KadMessage {
  const guard = requestGuard(services)({} as Connection, {} as Stream)
  const bytes = guard.receive?.(writeKadMessage(message(parts)))
  return readKadMessage(bytes ?? new Uint8Array())
}

function put(key: Uint8Array, recordKey_: Uint8Array = key): Partial<KadMessage> {
  const record = new Libp2pRecord(recordKey_, Uint8Array.of(1), new Date()).serialize()
  return { type: PUT_VALUE, key, record }
}

const PK = Buffer.concat([Buffer.from('/pk/'), randomBytes(34)])
const OUR_KEY = recordKey('a key')
const LONG_KEY = Buffer.concat([OUR_KEY, new Uint8Array(MAX_KEY_BYTES)])

describe('readKadMessage', () => {
  it('reads what writeKadMessage has written', () => {
    const whole = message({
      type: GET_PROVIDERS,
      key: Uint8Array.of(1),
      record: field(2, Uint8Array.of(2)),
      closer: [peer(2)],
      providers: [peer(1), peer(0)]
    })
    expect(readKadMessage(writeKadMessage(whole))).toEqual(whole)
  })

  it.each([
    ['a type that there is not', [8, 9]],
    ['half a field', [18, 200, 1]],
    ['a number without an end', new Array(11).fill(0xff)],
    ['a group, which nobody uses any more', [11]]
  ])('refuses %s (N13d)', (_, bytes) => {
    expect(() => readKadMessage(Uint8Array.from(bytes))).toThrow()
  })

  it.each([
    ['peers behind a cluster level', field(10, field(8, randomBytes(300)))],
    ['a type', field(1, Uint8Array.of(PING))],
    ['a key', Uint8Array.of(16, 5)],
    ['a record', Uint8Array.of(24, 5)],
    ['a closer peer', Uint8Array.of(64, 0)]
  ])(
    'refuses a field of another type, in which libp2p would find others: %s (N13b)',
    (_, bytes) => {
      expect(() => readKadMessage(bytes)).toThrow(ProtocolViolationError)
    }
  )

  it('refuses more fields than any message has (N13b)', () => {
    const fields = Buffer.concat(new Array(MAX_PROTOBUF_FIELDS + 1).fill(Uint8Array.of(8, 5)))
    expect(() => readKadMessage(fields)).toThrow('more than 1024 fields')
  })

  it('keeps what the last of two fields says, as libp2p does', () => {
    const writer = new ByteWriter()
    writeVarintField(writer, 1, FIND_NODE)
    writeVarintField(writer, 1, PING)
    expect(readKadMessage(writer.take()).type).toBe(PING)
  })
})

describe('a request to kad-dht', () => {
  it.each([
    ['PING', { type: PING }],
    ['FIND_NODE', { type: FIND_NODE, key: Uint8Array.from(randomBytes(34)) }],
    ['GET_VALUE of ours', { type: GET_VALUE, key: OUR_KEY }],
    ['PUT_VALUE of ours', put(OUR_KEY)]
  ])('passes: %s', (_, parts) => {
    expect(received(parts)).toEqual(message(parts))
  })

  it.each([
    ['GET_VALUE of another namespace', { type: GET_VALUE, key: PK }],
    ['PUT_VALUE of another namespace', put(PK)],
    ['PUT_VALUE whose record has another key than it says', put(OUR_KEY, PK)],
    ['PUT_VALUE of no namespace', put(Uint8Array.of(1, 2, 3))],
    ['GET_VALUE without a key', { type: GET_VALUE }],
    ['ADD_PROVIDER', { type: ADD_PROVIDER, key: randomBytes(36), providers: [peer(1)] }],
    ['GET_PROVIDERS', { type: GET_PROVIDERS, key: randomBytes(36) }]
  ])('is refused unless an option serves it: %s (N13c)', (_, parts) => {
    expect(() => received(parts)).toThrow(/this node stores no/)
  })

  it('is refused where a record has a second key, of another type, which libp2p would take (N13c)', () => {
    const { record = new Uint8Array() } = put(OUR_KEY)
    const second = Buffer.concat([record, Uint8Array.of(8, PK.length), PK])
    expect(() => received({ ...put(OUR_KEY), record: second })).toThrow(ProtocolViolationError)
  })

  it.each([
    ['GET_VALUE', { type: GET_VALUE, key: LONG_KEY }],
    ['FIND_NODE', { type: FIND_NODE, key: LONG_KEY }],
    ['PUT_VALUE', put(OUR_KEY, LONG_KEY)]
  ])('is refused where its key is longer than any, and is no violation: %s (N13b)', (_, parts) => {
    expect(() => received(parts)).toThrow(RangeError)
  })

  it('passes no more of a record than what it is', () => {
    const { record = new Uint8Array() } = put(OUR_KEY)
    const padded = Buffer.concat([record, field(3, randomBytes(9)), field(77, randomBytes(9))])
    expect(received({ ...put(OUR_KEY), record: padded }).record).toEqual(record)
  })

  it('passes where options serve it (N13c)', () => {
    expect(received(put(PK), ALL).record).toBeDefined()
    const asked = { type: ADD_PROVIDER, key: randomBytes(36), providers: [peer(3)] }
    expect(received(asked, ALL).providers).toHaveLength(1)
  })

  it('names a few peers, with a few addresses each, and nobody where nobody is asked for (N13b)', () => {
    const providers = Array.from({ length: 100 }, () => peer(50))
    const { providers: named } = received(
      { type: ADD_PROVIDER, key: randomBytes(36), providers },
      ALL
    )
    expect(named).toHaveLength(MAX_NAMED_PEERS)
    expect(named.map(addressesOf)).toEqual(new Array(MAX_NAMED_PEERS).fill(MAX_ADDRESSES_PER_PEER))

    const others = received({ type: FIND_NODE, key: randomBytes(34), closer: providers, providers })
    expect([others.closer, others.providers]).toEqual([[], []])
  })
})

describe('a response of kad-dht', () => {
  it('hides no addresses in a field of another type (N13b)', () => {
    const hiding = Buffer.concat([field(PEER_ID, randomBytes(34)), field(3, peer(1000))])
    const response = Buffer.concat([Uint8Array.of(8, FIND_NODE), field(PROVIDERS - 1, hiding)])
    const guard = responseGuard()({} as Connection, {} as Stream)
    expect(() => guard.receive?.(response)).toThrow(ProtocolViolationError)
  })

  it('names no peer by a list of addresses in DNS, which libp2p would look up (N9h)', () => {
    const list = multiaddr('/dnsaddr/bees.example').bytes
    const writer = new ByteWriter()
    writeBytesField(writer, PEER_ID, randomBytes(34))
    writeBytesField(writer, PEER_ADDRESS, list)
    writeBytesField(writer, PEER_ADDRESS, ADDRESS)
    const response = writeKadMessage(message({ type: FIND_NODE, closer: [writer.take()] }))
    const seen = responseGuard()({} as Connection, {} as Stream).receive?.(response)
    const [named] = readKadMessage(seen ?? new Uint8Array()).closer
    const addresses = [...protobufFields(named ?? new Uint8Array())]
      .filter(({ number }) => number === PEER_ADDRESS)
      .map(({ bytes }) => bytes)

    expect(addresses).toEqual([ADDRESS])
  })

  it('names a few peers, with a few addresses each, none of which is long (N13b)', () => {
    const guard = responseGuard()({} as Connection, {} as Stream)
    const closer = [
      peer(1000),
      peer(3, new Uint8Array(600)),
      ...Array.from({ length: 100 }, () => peer(1))
    ]
    const seen = readKadMessage(
      guard.receive?.(writeRaw(message({ type: FIND_NODE, closer }))) ?? new Uint8Array()
    )

    expect(seen.closer).toHaveLength(MAX_NAMED_PEERS)
    expect(seen.closer.slice(0, 3).map(addressesOf)).toEqual([MAX_ADDRESSES_PER_PEER, 0, 1])
  })

  /** Writes a message with all peers and addresses, as another implementation would. */
  function writeRaw({ type, closer }: KadMessage): Uint8Array {
    const writer = new ByteWriter()
    writeVarintField(writer, 1, type)

    for (const named of closer) {
      writeBytesField(writer, PROVIDERS - 1, named)
    }

    return writer.take()
  }
})
