import { describe, expect, it } from 'vitest'
import { CLOCK } from '../../src/clock/clock-messages.ts'
import { GATEWAY } from '../../src/gateway/gateway-messages.ts'
import { INTRODUCTION } from '../../src/pages/introduction-messages.ts'
import { COMPARE } from '../../src/upkeep/compare-messages.ts'
import { ByteWriter } from '../../src/wire/bytes.ts'
import { ProtocolViolationError } from '../../src/wire/protocol-violation-error.ts'
import type { MessageCodec } from '../../src/wire/schema.ts'
import clock from '../fixtures/clock-messages.json' with { type: 'json' }
import compare from '../fixtures/compare-messages.json' with { type: 'json' }
import gateway from '../fixtures/gateway-messages.json' with { type: 'json' }
import introduction from '../fixtures/introduction-messages.json' with { type: 'json' }

interface Fixtures {
  readonly good: readonly {
    readonly name: string
    readonly hex: string
    readonly message: unknown
  }[]
  readonly bad: readonly { readonly name: string; readonly hex: string; readonly reason: string }[]
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Replaces byte strings by hexadecimal, as in the fixtures. */
function withHex(message: unknown): unknown {
  return JSON.parse(
    JSON.stringify(message, (_, part) => (part instanceof Uint8Array ? hexOf(part) : part))
  )
}

describe.each<[string, MessageCodec<unknown>, Fixtures]>([
  ['CLOCK', CLOCK as MessageCodec<unknown>, clock],
  ['COMPARE', COMPARE as MessageCodec<unknown>, compare],
  ['GATEWAY', GATEWAY as MessageCodec<unknown>, gateway],
  ['INTRODUCTION', INTRODUCTION as MessageCodec<unknown>, introduction]
])('%s', (_, codec, { good, bad }) => {
  it.each(good)('reads and writes $name as it always was (N3)', ({ hex, message }) => {
    const read = codec.read(bytesOf(hex))
    const writer = new ByteWriter()
    codec.write(writer, read)

    expect(withHex(read)).toEqual(message)
    expect(hexOf(writer.take())).toBe(hex.replaceAll(' ', ''))
  })

  it.each(bad)('refuses $name (N9b)', ({ hex, reason }) => {
    const read = (): unknown => codec.read(bytesOf(hex))

    expect(read).toThrow(ProtocolViolationError)
    expect(read).toThrow(reason)
  })

  it('refuses every message that lacks its end, and every one with more behind it (N9b)', () => {
    for (const bytes of good.map(({ hex }) => bytesOf(hex))) {
      for (let length = 0; length < bytes.length; length++) {
        expect(() => codec.read(bytes.subarray(0, length))).toThrow(ProtocolViolationError)
      }

      expect(() => codec.read(Uint8Array.from([...bytes, 0]))).toThrow(ProtocolViolationError)
    }
  })
})
