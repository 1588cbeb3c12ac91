import { readFileSync } from 'node:fs'
import { isMultiaddr, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import {
  apply,
  checkRecord,
  type DHTRecord,
  decodeRecord,
  decodeValue,
  EMPTY_RECORD,
  encodedSize,
  encodeRecord,
  encodeValue,
  join,
  parseRecordKey,
  recordKey,
  view
} from '@waggle/record'
import { fromString } from 'uint8arrays/from-string'
import { announcedAddress, listenAddress, peerAddress } from '../../src/addresses.ts'
import { ByteWriter } from '../../src/exchange/bytes.ts'
import { Contacts, wirePeerOf } from '../../src/exchange/contacts.ts'
import { FrameReader, writeFrame } from '../../src/exchange/frames.ts'
import { MAX_ADDRESSES_PER_PEER, MAX_DIALLED_ADDRESSES } from '../../src/exchange/limits.ts'
import { EXCHANGE, type Message, readMessage, writeMessage } from '../../src/exchange/messages.ts'
import { readWatchMessage, writeWatchMessage } from '../../src/watch/watch-messages.ts'
import { peerNumber } from '../support/numbered-peers.ts'
import type { Target } from './fuzzer.ts'

interface Examples {
  readonly good: readonly { readonly hex: string }[]
  readonly bad: readonly { readonly hex: string }[]
}

const NOW = 1_000

/** Fails if what holds for all is not so for this one. */
function assertThat(isTrue: boolean, what: string): void {
  if (!isTrue) {
    throw new Error(what)
  }
}

/** What the function gives, or undefined where it refuses by one of these errors. */
function unlessRefused<T>(read: () => T, ...refusals: readonly string[]): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof Error && refusals.includes(error.name)) {
      return undefined
    }

    throw error
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function examples(file: string): Uint8Array[] {
  const { good, bad }: Examples = JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'))
  return [...good, ...bad].map(({ hex }) => bytesOf(hex))
}

function bytesOf(hex: string): Uint8Array {
  return fromString(hex.replaceAll(' ', ''), 'hex')
}

function words(...texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => fromString(text))
}

/** Heads of all types in CBOR, and floats. */
const CBOR = [
  '01a100',
  'a2000a01',
  'a101a1',
  'fb',
  'f97e00',
  '1b',
  '3b',
  '5f',
  '9f',
  'bf',
  'd9',
  'ff'
]

/** Bytes as a record: one form, readable throughout, and everything that is done with it works. */
const record: Target = {
  name: 'record',
  isWatched: (url) => url.includes('/packages/record/src/'),
  seeds: examples('../../../record/test/fixtures/records.json'),
  words: CBOR.map(bytesOf),
  try(input) {
    const decoded = unlessRefused(() => decodeRecord(input), 'MalformedRecordError')
    unlessRefused(
      () => checkRecord(recordKey('key'), input, { now: NOW }),
      ...['MalformedRecordError', 'ValidationError', 'RecordTooLargeError']
    )

    if (decoded !== undefined) {
      assertOneForm(decoded, input)
      assertRules(decoded)
    }
  }
}

function assertOneForm(decoded: DHTRecord, input: Uint8Array): void {
  assertThat(isSame(encodeRecord(decoded), input), 'a record has another form')
  assertThat(encodedSize(decoded) === input.length, 'its size is counted wrong')

  for (const { value } of [decoded.plain ?? { value: undefined }, ...decoded.subkeys.values()]) {
    if (value !== undefined) {
      assertThat(isSame(encodeValue(decodeValue(value)), value), 'a value has another form')
    }
  }
}

function assertRules(decoded: DHTRecord): void {
  assertThat(join(decoded, decoded) === decoded, 'join is not idempotent')
  view(decoded, NOW)
  const applied = apply(EMPTY_RECORD, decoded, { now: NOW })
  assertThat(
    !applied.isAccepted || apply(applied.record, decoded, { now: NOW }).isAccepted,
    'a write is not accepted again'
  )
}

/** Bytes as the key of a record. */
const key: Target = {
  name: 'key',
  isWatched: (url) => url.includes('/packages/record/src/'),
  seeds: ['a', 0, null, [1, ['b']], new Uint8Array(3)].map((some) => recordKey(some)),
  words: [...words('/waggle/', '/'), ...CBOR.map(bytesOf)],
  try(input) {
    const parsed = unlessRefused(() => parseRecordKey(input), 'InvalidKeyError')
    assertThat(parsed === undefined || isSame(recordKey(parsed), input), 'a key has another form')
  }
}

const isExchange = (url: string): boolean => url.includes('/dht/src/exchange/')

/** Bytes as a message of the exchange. */
const message: Target = {
  name: 'message',
  isWatched: isExchange,
  seeds: examples('../fixtures/messages.json'),
  words: ['8001', 'ffffffff0f', '8000', '8102', '8108'].map(bytesOf),
  try(input) {
    const read = unlessRefused(() => readMessage(input), 'ExchangeProtocolError')

    if (read !== undefined) {
      assertThat(isSame(messageBytes(read), input), 'a message has another form')
      readContacts(read)
    }
  }
}

function messageBytes(message: Message): Uint8Array {
  const writer = new ByteWriter()
  writeMessage(writer, message)
  return writer.take()
}

function readContacts(message: Message): void {
  for (const peer of 'peers' in message ? message.peers : []) {
    const contact = new Contacts().of(peer)
    assertThat(
      contact === undefined || contact.multiaddrs.length <= MAX_DIALLED_ADDRESSES,
      'too many addresses'
    )
  }
}

/** Bytes as a message by which keys are watched. */
const watch: Target = {
  name: 'watch',
  isWatched: (url) => isExchange(url) || url.includes('/dht/src/watch/'),
  seeds: examples('../fixtures/watch-messages.json'),
  words: ['8001', 'ffffffff0f', '8000', '8102'].map(bytesOf),
  try(input) {
    const read = unlessRefused(() => readWatchMessage(input), 'ExchangeProtocolError')

    if (read !== undefined) {
      const writer = new ByteWriter()
      writeWatchMessage(writer, read)
      assertThat(isSame(writer.take(), input), 'a message has another form')
    }
  }
}

/** The first byte says how the others are cut; they come out as if they had not been. */
const frames: Target = {
  name: 'frames',
  isWatched: isExchange,
  seeds: examples('../fixtures/messages.json').map((bytes) =>
    Uint8Array.of(3, 0, 0, 0, bytes.length, ...bytes, 0, 0, 0, bytes.length, ...bytes)
  ),
  words: ['00000001', '00400000', '00400001', 'ffffffff', '00000000'].map(bytesOf),
  try(input) {
    const [step = 0] = input
    const bytes = input.subarray(1)
    const whole = framesOf([bytes])
    const cut = framesOf(pieces(bytes, 1 + step))
    assertThat(
      whole.length === cut.length && whole.every((frame, i) => isSame(frame, cut[i] ?? frame)),
      'what comes in pieces is read otherwise'
    )
    assertThat(
      whole.reduce((sum, { length }) => sum + 4 + length, 0) <= bytes.length,
      'more has come out than went in'
    )

    for (const frame of whole) {
      const read = unlessRefused(() => readMessage(frame), 'ExchangeProtocolError')
      assertThat(read === undefined || isSame(framed(read).subarray(4), frame), 'another frame')
    }
  }
}

function framed(message: Message): Uint8Array {
  const writer = new ByteWriter()
  writeFrame(writer, message, EXCHANGE)
  return writer.take()
}

function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / size)
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

function framesOf(chunks: readonly Uint8Array[]): Uint8Array[] {
  const reader = new FrameReader()
  const frames: Uint8Array[] = []
  unlessRefused(() => {
    for (const chunk of chunks) {
      reader.push(chunk)

      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
        frames.push(frame.slice())
      }
    }
  }, 'ExchangeProtocolError')
  return frames
}

const ADDRESSES = [
  '/ip4/127.0.0.1/tcp/1337',
  '/dns4/bees.example/tcp/443/wss',
  '/ip6/::1/udp/1/quic-v1/webtransport/certhash/uEiAkH5a4DPGKUuOBjYw0CgwjvcJCJMD2K_1aluKR_tpevQ',
  '/ip4/1.2.3.4/tcp/1/p2p/12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5/p2p-circuit'
]

/** A peer as a reply introduces it: an id, and addresses, each after a byte with its length. */
const contact: Target = {
  name: 'contact',
  isWatched: (url) => isExchange(url) || url.includes('@multiformats/multiaddr/'),
  seeds: ADDRESSES.map((address) => {
    const { id, addresses } = wirePeerOf({ id: peerNumber(1), multiaddrs: [multiaddr(address)] })
    return Uint8Array.from([id, ...addresses].flatMap((bytes) => [bytes.length, ...bytes]))
  }),
  words: ['047f000001', '0604d2', 'a503', '29', '36', '35', '38', 'dd03', 'de03', 'a202'].map(
    bytesOf
  ),
  try(input) {
    const [id = new Uint8Array(), ...addresses] = strings(input)
    const read = new Contacts().of({ id, addresses: addresses.slice(0, MAX_ADDRESSES_PER_PEER) })

    if (read !== undefined) {
      assertThat(read.multiaddrs.length > 0, 'a contact without an address')
      read.multiaddrs.map(String)
      String(read.id)
    }
  }
}

function strings(input: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = []

  for (let at = 0; at < input.length; at += 1 + (input[at] ?? 0)) {
    found.push(input.subarray(at + 1, at + 1 + (input[at] ?? 0)))
  }

  return found
}

const PARSERS = [listenAddress, peerAddress, announcedAddress] as const

/** Text as an address: a multiaddr that is written and read back as itself, or a TypeError. */
const address: Target = {
  name: 'address',
  isWatched: (url) =>
    url.includes('/dht/src/addresses') || url.includes('@multiformats/multiaddr/'),
  seeds: words(
    ...['127.0.0.1:1337', '[::1]:1337', ':0', 'localhost:1', 'bees.example:80', '*:5'],
    ...ADDRESSES
  ),
  words: words(
    ...['/ip4/', '/ip6/', '/tcp/', '/udp/', '/dns/', '/dnsaddr/', '/p2p/', '/unix/', '/ipcidr/'],
    ...['/p2p-circuit', '/ws', '/http-path/', '/onion3/', '/garlic32/', '/memory/', '/ip6zone/'],
    ...['::', '[', ']', ':', '%', '65535', '65536', '0', '-1', ' ', '\n', '/']
  ),
  try(input) {
    const text = new TextDecoder().decode(input)

    for (const parse of PARSERS) {
      const parsed = unlessRefused<Multiaddr>(() => parse(text, 'address'), 'TypeError')

      if (parsed !== undefined) {
        assertThat(isMultiaddr(parsed), 'no multiaddr')
        assertThat(
          String(parse(String(parsed), 'address')) === String(parsed),
          'an address is not read back as itself'
        )
      }
    }
  }
}

/** All that takes bytes from strangers. */
export const targets: readonly Target[] = [record, key, message, watch, frames, contact, address]
