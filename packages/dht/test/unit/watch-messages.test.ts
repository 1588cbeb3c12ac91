import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { textOf } from '../../src/latin1.ts'
import { DIGEST_BYTES } from '../../src/store/record-digest.ts'
import {
  changedFrame,
  WATCH,
  type WatchedAnswer,
  type WatchMessage,
  type WatchRole,
  type WatchState
} from '../../src/watch/watch-messages.ts'
import { ByteWriter } from '../../src/wire/bytes.ts'
import type { EncodedPeer } from '../../src/wire/fields.ts'
import { MAX_CLOSER_PEERS, MAX_KEY_BYTES, MAX_MESSAGE_BYTES } from '../../src/wire/limits.ts'
import { ProtocolViolationError } from '../../src/wire/protocol-violation-error.ts'
import fixtures from '../fixtures/watch-messages.json' with { type: 'json' }
import { law } from '../support/effort.ts'
import { encodedPeer, fieldsOf } from '../support/encoded-peers.ts'
import { anyMutation, mutated } from '../support/exchange-messages.ts'
import { frameOf } from '../support/exchange-talker.ts'

const STATES: readonly WatchState[] = ['watched', 'refused', 'ended', 'full']

const byteString = fc.oneof(
  { weight: 60, arbitrary: fc.uint8Array({ maxLength: 4 }) },
  { weight: 6, arbitrary: fc.uint8Array({ minLength: 126, maxLength: 129 }) },
  { weight: 1, arbitrary: fc.constant(new Uint8Array(MAX_KEY_BYTES).fill(7)) }
)
const place = {
  key: byteString,
  subkey: fc.option(byteString.filter(({ length }) => length > 0).map(textOf), { nil: undefined })
}
const peer = fc
  .record({
    id: fc.uint8Array({ maxLength: 8 }),
    addresses: fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 3 })
  })
  .map(encodedPeer)
const answer: fc.Arbitrary<WatchedAnswer> = fc.record(
  {
    state: fc.constantFrom(...STATES),
    record: fc.uint8Array({ minLength: 1, maxLength: 4 }),
    closer: fc.array(fc.constant(0), { maxLength: 3 })
  },
  { requiredKeys: ['state', 'closer'] }
)
const anyMessage: fc.Arbitrary<WatchMessage> = fc.oneof(
  fc.record({
    name: fc.constant('watch' as const),
    closerCount: fc.nat(MAX_CLOSER_PEERS),
    role: fc.constantFrom<WatchRole>('prompt', 'patient', 'forwarder', 'dependant', 'remote'),
    keys: fc.array(fc.record({ ...place, digest: fc.uint8Array({ maxLength: DIGEST_BYTES }) }), {
      maxLength: 5
    })
  }),
  fc.record({
    name: fc.constant('unwatch' as const),
    keys: fc.array(fc.record(place), { maxLength: 5 })
  }),
  fc.record({
    name: fc.constant('watched' as const),
    peers: fc.array(peer, { minLength: 1, maxLength: 4 }),
    answers: fc.array(answer, { maxLength: 5 })
  }),
  fc.record({ name: fc.constant('changed' as const), ...place, record: byteString })
)

function encoded(message: WatchMessage): Uint8Array {
  const writer = new ByteWriter()
  WATCH.write(writer, message)
  return writer.take()
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Replaces byte strings by hexadecimal, as in the fixtures. */
function withHex(message: WatchMessage): unknown {
  return JSON.parse(
    JSON.stringify(message, (name, part) => {
      if (name === 'peers') {
        return (part as EncodedPeer[]).map(fieldsOf)
      }

      const bytes =
        name === 'subkey' && typeof part === 'string' ? Buffer.from(part, 'latin1') : part
      return bytes instanceof Uint8Array ? hexOf(bytes) : bytes
    })
  )
}

/** Expects that any bytes are one message in its only form, or a protocol error. */
function expectOneFormOrRefusal(bytes: Uint8Array): void {
  let message: WatchMessage

  try {
    message = WATCH.read(bytes)
  } catch (error) {
    expect((error as Error).name).toBe('ProtocolViolationError')
    return
  }

  expect(Buffer.compare(encoded(message), bytes)).toBe(0)
}

describe('readWatchMessage', () => {
  it('reads what writeWatchMessage has written (N3)', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(WATCH.read(encoded(message))).toEqual(message)
      }),
      law()
    )
  })

  it.each(fixtures.good)('reads and writes $name as it always was (N3)', ({ hex, message }) => {
    const read = WATCH.read(bytesOf(hex))

    expect(withHex(read)).toEqual(message)
    expect(hexOf(encoded(read))).toBe(hex.replaceAll(' ', ''))
  })

  it.each(fixtures.bad)('refuses $name (N9b)', ({ hex, reason }) => {
    const read = (): WatchMessage => WATCH.read(bytesOf(hex))

    expect(read).toThrow(ProtocolViolationError)
    expect(read).toThrow(reason)
  })

  it('refuses every message that lacks its end, and every one with more behind it (N9b)', () => {
    for (const { hex } of fixtures.good) {
      const bytes = bytesOf(hex)

      for (let length = 0; length < bytes.length; length++) {
        expect(() => WATCH.read(bytes.subarray(0, length))).toThrow(ProtocolViolationError)
      }

      expect(() => WATCH.read(Uint8Array.from([...bytes, 0]))).toThrow(ProtocolViolationError)
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
})

describe('changedFrame', () => {
  it('is a message as a frame', () => {
    const [key, record] = [Uint8Array.of(1, 2), Uint8Array.of(3)]

    for (const subkey of [undefined, '\xff']) {
      expect(hexOf(changedFrame({ key, subkey, record }) ?? new Uint8Array(0))).toBe(
        hexOf(frameOf(encoded({ name: 'changed', key, subkey, record })))
      )
    }
  })

  it('is none for a record that no message can hold (N13l)', () => {
    const record = new Uint8Array(MAX_MESSAGE_BYTES)
    expect(changedFrame({ key: Uint8Array.of(1), record })).toBeUndefined()
  })
})
