import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  EXCHANGE,
  type FindKey,
  type FindRequest,
  type FoundAnswer,
  type FoundReply,
  type Message,
  type StoredReply,
  type StoreRequest
} from '../../src/exchange/messages.ts'
import type { EncodedPeer } from '../../src/wire/fields.ts'
import {
  MAX_ADDRESS_BYTES,
  MAX_ADDRESSES_PER_PEER,
  MAX_CLOSER_PEERS,
  MAX_KEY_BYTES,
  MAX_KEYS_PER_MESSAGE,
  MAX_MESSAGE_BYTES,
  MAX_PEER_ID_BYTES,
  MAX_PEERS_PER_MESSAGE
} from '../../src/wire/limits.ts'
import { ProtocolViolationError } from '../../src/wire/protocol-violation-error.ts'
import fixtures from '../fixtures/messages.json' with { type: 'json' }
import { law } from '../support/effort.ts'
import { encodedPeer, fieldsOf } from '../support/encoded-peers.ts'
import { anyMessage, anyMutation, mutated } from '../support/exchange-messages.ts'
import { encodedWrite } from '../support/exchange-serving.ts'
import { encoded } from '../support/exchange-talker.ts'

const NOTHING = new Uint8Array()

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Replaces byte strings by hexadecimal, as in the fixtures. */
function withHex(message: Message): unknown {
  return JSON.parse(
    JSON.stringify(message, (name, part) => {
      if (name === 'peers') {
        return (part as EncodedPeer[]).map(fieldsOf)
      }

      return part instanceof Uint8Array ? hexOf(part) : part
    })
  )
}

/** Expects that any bytes are one message in its only form, or a protocol error. */
function expectOneFormOrRefusal(bytes: Uint8Array): void {
  let message: Message

  try {
    message = EXCHANGE.read(bytes)
  } catch (error) {
    expect((error as Error).name).toBe('ProtocolViolationError')
    return
  }

  expect(Buffer.compare(encoded(message), bytes)).toBe(0)
}

function find(differences: Partial<FindRequest>): Message {
  return {
    ...{ name: 'find', id: 1, closerCount: 5, isCloserAlways: false, maxAge: 0, keys: [] },
    ...differences
  }
}

function store(differences: Partial<StoreRequest>): Message {
  return { name: 'store', id: 1, closerCount: 5, isCacheOnly: false, writes: [], ...differences }
}

function found(differences: Partial<FoundReply>): Message {
  return { name: 'found', id: 1, peers: [], answers: [], ...differences }
}

function stored(differences: Partial<StoredReply>): Message {
  return { name: 'stored', id: 1, peers: [], answers: [], ...differences }
}

function many<T>(count: number, item: T): T[] {
  return new Array(count).fill(item)
}

function keyOf(key: Uint8Array): FindKey {
  return { key, subkeys: [], digest: NOTHING }
}

function nothing(closer: number[]): FoundAnswer {
  return { standing: 'nothing', closer }
}

const somebody = encodedPeer({ id: NOTHING, addresses: [] })

/** For each limit, a message with a number of the limited items. */
const LIMITED: readonly [what: string, most: number, message: (n: number) => Message][] = [
  ['near peers wanted by a FIND', MAX_CLOSER_PEERS, (n) => find({ closerCount: n })],
  ['near peers wanted by a STORE', MAX_CLOSER_PEERS, (n) => store({ closerCount: n })],
  ['keys of a FIND', MAX_KEYS_PER_MESSAGE, (n) => find({ keys: many(n, keyOf(NOTHING)) })],
  ['bytes of a key to find', MAX_KEY_BYTES, (n) => find({ keys: [keyOf(new Uint8Array(n))] })],
  [
    'writes of a STORE',
    MAX_KEYS_PER_MESSAGE,
    (n) => store({ writes: many(n, encodedWrite(NOTHING, NOTHING)) })
  ],
  [
    'bytes of a key to store',
    MAX_KEY_BYTES,
    (n) => store({ writes: [encodedWrite(new Uint8Array(n), NOTHING)] })
  ],
  [
    'bytes of a record to store',
    MAX_MESSAGE_BYTES,
    (n) => store({ writes: [encodedWrite(NOTHING, new Uint8Array(n))] })
  ],
  [
    'bytes of a record found',
    MAX_MESSAGE_BYTES,
    (n) => found({ answers: [{ standing: 'held', record: new Uint8Array(n), closer: [] }] })
  ],
  ['answers of a FOUND', MAX_KEYS_PER_MESSAGE, (n) => found({ answers: many(n, nothing([])) })],
  [
    'answers of a STORED',
    MAX_KEYS_PER_MESSAGE,
    (n) => stored({ answers: many(n, { outcome: 'full', closer: [] }) })
  ],
  ['peers of a FOUND', MAX_PEERS_PER_MESSAGE, (n) => found({ peers: many(n, somebody) })],
  ['peers of a STORED', MAX_PEERS_PER_MESSAGE, (n) => stored({ peers: many(n, somebody) })],
  [
    'near peers of an answer of a FOUND',
    MAX_CLOSER_PEERS,
    (n) => found({ peers: [somebody], answers: [nothing(many(n, 0))] })
  ],
  [
    'places behind the first of three peers',
    2,
    (n) => found({ peers: many(3, somebody), answers: [nothing([n])] })
  ],
  [
    'bytes of a peer id',
    MAX_PEER_ID_BYTES,
    (n) => found({ peers: [encodedPeer({ id: new Uint8Array(n), addresses: [] })] })
  ],
  [
    'addresses of a peer',
    MAX_ADDRESSES_PER_PEER,
    (n) => found({ peers: [encodedPeer({ id: NOTHING, addresses: many(n, NOTHING) })] })
  ],
  [
    'bytes of an address',
    MAX_ADDRESS_BYTES,
    (n) => found({ peers: [encodedPeer({ id: NOTHING, addresses: [new Uint8Array(n)] })] })
  ]
]

describe('EXCHANGE', () => {
  it('reads what it has written (N3)', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(EXCHANGE.read(encoded(message))).toEqual(message)
      }),
      law()
    )
  })

  it.each(fixtures.good)('reads and writes $name as it always was (N3)', ({ hex, message }) => {
    const read = EXCHANGE.read(bytesOf(hex))

    expect(withHex(read)).toEqual(message)
    expect(hexOf(encoded(read))).toBe(hex.replaceAll(' ', ''))
  })

  it.each(fixtures.bad)('refuses $name (N9b)', ({ hex, reason }) => {
    const read = (): Message => EXCHANGE.read(bytesOf(hex))

    expect(read).toThrow(ProtocolViolationError)
    expect(read).toThrow(reason)
  })

  it('refuses every message that lacks its end, and every one with more behind it (N9b)', () => {
    for (const { hex } of fixtures.good) {
      const bytes = bytesOf(hex)

      for (let length = 0; length < bytes.length; length++) {
        expect(() => EXCHANGE.read(bytes.subarray(0, length))).toThrow(ProtocolViolationError)
      }

      expect(() => EXCHANGE.read(Uint8Array.from([...bytes, 0]))).toThrow(ProtocolViolationError)
    }
  })

  it('takes changed messages for others in their only form, or refuses them (N9b)', {
    timeout: 120_000
  }, () => {
    const mutations = fc.array(anyMutation, { minLength: 1, maxLength: 4 })

    fc.assert(
      fc.property(anyMessage, mutations, (message, changes) => {
        expectOneFormOrRefusal(mutated(encoded(message), changes))
      }),
      law()
    )
  })

  it('takes random bytes for a message in its only form, or refuses them (N9b)', {
    timeout: 120_000
  }, () => {
    const likely = fc.oneof(fc.nat(6), fc.constantFrom(0x80, 0xff), fc.nat(255))
    const bytes = fc.array(likely, { maxLength: 24 }).map((all) => Uint8Array.from(all))

    fc.assert(fc.property(bytes, expectOneFormOrRefusal), law())
  })

  it.each(LIMITED)('takes as many %s as the limit says, and no more (N9b)', (_, most, message) => {
    const largest = message(most)

    expect(Buffer.compare(encoded(EXCHANGE.read(encoded(largest))), encoded(largest))).toBe(0)
    const refused = (): Message => EXCHANGE.read(encoded(message(most + 1)))
    expect(refused).toThrow(ProtocolViolationError)
    expect(refused).toThrow(`at most ${most} is allowed`)
  })

  it('leaves byte strings where they are, without a copy', () => {
    const bytes = encoded(find({ keys: [keyOf(Uint8Array.of(1, 2, 3))] }))
    const { keys } = EXCHANGE.read(bytes) as FindRequest

    expect(keys[0]?.key.buffer).toBe(bytes.buffer)
  })
})
