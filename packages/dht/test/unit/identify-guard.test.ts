import { randomBytes } from 'node:crypto'
import type { Connection, Stream } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import {
  identifyGuard,
  MAX_IDENTIFY_ADDRESSES,
  MAX_IDENTIFY_PROTOCOLS
} from '../../src/node/identify-guard.ts'
import { ByteWriter } from '../../src/wire/bytes.ts'
import { protobufFields, writeBytesField } from '../../src/wire/protobuf.ts'
import { ProtocolViolationError } from '../../src/wire/protocol-violation-error.ts'

/** The sequence number of a signed record. */
const SEQ = Uint8Array.of(16, 1)

const [KEY, ADDRESS, PROTOCOL, AGENT, SIGNED] = [1, 2, 3, 6, 8]

function fields(...given: readonly (readonly [number, Uint8Array])[]): Uint8Array {
  const writer = new ByteWriter()

  for (const [number, bytes] of given) {
    writeBytesField(writer, number, bytes)
  }

  return writer.take()
}

function times(count: number, number: number, bytes = 8): (readonly [number, Uint8Array])[] {
  return Array.from({ length: count }, () => [number, randomBytes(bytes)] as const)
}

function addressInfos(count: number): (readonly [number, Uint8Array])[] {
  return times(count, 3).map(([number, bytes]) => [number, fields([1, bytes])])
}

function signedRecord(addresses: number): Uint8Array {
  return envelopeOf(
    Buffer.concat([fields([1, randomBytes(38)]), SEQ, fields(...addressInfos(addresses))])
  )
}

function envelopeOf(record: Uint8Array): Uint8Array {
  return fields([3, record], [5, randomBytes(64)])
}

function countsOf(message: Uint8Array): Record<number, number> {
  const counts: Record<number, number> = {}

  for (const { number } of protobufFields(message)) {
    counts[number] = (counts[number] ?? 0) + 1
  }

  return counts
}

function guard(): (message: Uint8Array) => Uint8Array {
  const { receive } = identifyGuard()({} as Connection, {} as Stream)
  return receive ?? ((message) => message)
}

describe('what a peer says of itself', () => {
  it('passes as it is where it is what honest peers say', () => {
    const message = fields(
      [KEY, randomBytes(36)],
      ...times(5, ADDRESS),
      ...times(20, PROTOCOL, 30),
      [AGENT, randomBytes(40)],
      [SIGNED, signedRecord(5)]
    )
    expect(guard()(message)).toEqual(message)
  })

  it('has so many addresses and protocols, in all of its messages together (N13b)', () => {
    const receive = guard()
    const counts = Array.from({ length: 10 }, () =>
      countsOf(receive(fields(...times(20, ADDRESS), ...times(40, PROTOCOL))))
    )
    const sum = (number: number) => counts.reduce((all, one) => all + (one[number] ?? 0), 0)

    expect(sum(ADDRESS)).toBe(MAX_IDENTIFY_ADDRESSES)
    expect(sum(PROTOCOL)).toBe(MAX_IDENTIFY_PROTOCOLS)
  })

  it('has no long names (N13b)', () => {
    const counts = countsOf(guard()(fields(...times(1, AGENT, 7000), ...times(3, PROTOCOL, 300))))
    expect(counts).toEqual({})
  })

  it('has no signed record with more addresses than it may have (N13b)', () => {
    const receive = guard()
    expect(countsOf(receive(fields([SIGNED, signedRecord(MAX_IDENTIFY_ADDRESSES)])))).toEqual({
      8: 1
    })
    expect(countsOf(receive(fields([SIGNED, signedRecord(MAX_IDENTIFY_ADDRESSES + 1)])))).toEqual(
      {}
    )
  })

  it.each([
    ['in the place of its number', fields([1, randomBytes(38)], [2, fields(...addressInfos(100))])],
    ['under a number that nobody knows', fields([1, randomBytes(38)], [9, randomBytes(100)])],
    ['in one address', fields([3, Buffer.concat([fields(...times(2, 1)), SEQ])])]
  ])('has no signed record with anything hidden %s (N13b)', (_, record) => {
    const receive = guard()
    const seen = (): Uint8Array => receive(fields([SIGNED, envelopeOf(record)]))
    expect(countsOf(seenOrNothing(seen))).toEqual({})
  })

  it.each([ADDRESS, PROTOCOL, SIGNED])('has no field of another type: %i (N13b)', (number) => {
    expect(() => guard()(Uint8Array.of(8 * number, 3))).toThrow(ProtocolViolationError)
  })
})

/** Returns the bytes that pass; none where the message is refused. */
function seenOrNothing(seen: () => Uint8Array): Uint8Array {
  try {
    return seen()
  } catch {
    return new Uint8Array()
  }
}
