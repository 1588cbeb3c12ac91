import { describe, expect, it } from 'vitest'
import {
  callFrame,
  decodeCall,
  decodeReply,
  FrameCollector,
  MAX_FRAME_BYTES,
  replyFrame
} from '../../src/wire/envelope.ts'
import {
  decodeFindRequest,
  decodeFindResponse,
  decodePingRequest,
  decodePingResponse,
  decodeStoreRequest,
  decodeStoreResponse,
  encodeFindRequest,
  encodeFindResponse,
  encodePingRequest,
  encodePingResponse,
  encodeStoreRequest,
  encodeStoreResponse
} from '../../src/wire/messages.ts'
import { MAX_FIELDS, ProtobufReader, ProtobufWriter } from '../../src/wire/protobuf.ts'
import { bytesOfHex, hexOf } from '../support/hex.ts'
import { type Capture, vectors } from '../support/vectors.ts'

const CODECS = {
  ping: {
    request: (bytes: Uint8Array) => encodePingRequest(decodePingRequest(bytes)),
    response: (bytes: Uint8Array) => encodePingResponse(decodePingResponse(bytes))
  },
  store: {
    request: (bytes: Uint8Array) => encodeStoreRequest(decodeStoreRequest(bytes)),
    response: (bytes: Uint8Array) => encodeStoreResponse(decodeStoreResponse(bytes))
  },
  find: {
    request: (bytes: Uint8Array) => encodeFindRequest(decodeFindRequest(bytes)),
    response: (bytes: Uint8Array) => encodeFindResponse(decodeFindResponse(bytes))
  }
}

function messageIn(frame: string): Uint8Array {
  const message = new FrameCollector().push(bytesOfHex(frame))

  if (message === undefined) {
    throw new Error('the frame is cut short')
  }

  return message
}

/** Reads a captured number from its bits, where decimals would not do. */
function numberOf(captured: number | { number: number } | undefined): number {
  return typeof captured === 'object' ? captured.number : (captured ?? 0)
}

function hexOrNothing(bytes: Uint8Array | undefined): string | undefined {
  return bytes && hexOf(bytes)
}

describe('a captured exchange', () => {
  const all = vectors.captures.map((capture, i) => [`${i}: ${capture.what}`, capture] as const)
  const captures = all.filter(([, { decoded }]) => decoded.error === undefined)
  const failures = all.filter(([, { decoded }]) => decoded.error !== undefined)

  it.each(failures)('tells what went wrong: %s', (_, c) => {
    const reply = decodeReply(messageIn(c.replyFrame))
    expect(reply.error).toBe(c.decoded.error)
    expect(hexOf(replyFrame(reply))).toBe(c.replyFrame)
    expect(() => CODECS[c.rpc].request(callData(c))).toThrow(/an id has 21 bytes/)
  })

  it.each(captures)('is read, and written again byte by byte: %s', (_, capture) => {
    const { rpc, requestFrame, replyFrame: reply, decoded } = capture
    const call = decodeCall(messageIn(requestFrame))
    const answer = decodeReply(messageIn(reply))

    expect(hexOf(call.callId)).toBe(decoded.callId)
    expect(hexOf(call.peer)).toBe(decoded.envelopePeer)
    expect(call.procedure).toBe(decoded.proto)
    expect(hexOf(callFrame(call))).toBe(requestFrame)
    expect(hexOf(replyFrame(answer))).toBe(reply)
    expect(CODECS[rpc].request(call.data)).toEqual(call.data)
    expect(CODECS[rpc].response(answer.data as Uint8Array)).toEqual(answer.data)
  })

  it.each(captures.filter(([, { rpc }]) => rpc === 'store'))('says what is stored: %s', (_, c) => {
    const { request, response } = decodedOf(c)
    const { items, sender } = decodeStoreRequest(callData(c))

    expect(hexOrNothing(sender)).toBe(request.nodeId)
    expect(
      items.map(({ key, subkey, value, expirationTime, isInCache }) => ({
        ...{ key: hexOf(key), subkey: hexOf(subkey), value: hexOf(value) },
        ...{ expirationTime, inCache: isInCache }
      }))
    ).toEqual(
      request.items.map((item: { expirationTime: number }) => ({
        ...item,
        expirationTime: numberOf(item.expirationTime)
      }))
    )
    expect(decodeStoreResponse(replyData(c)).stored).toEqual(response.ok)
  })

  it.each(captures.filter(([, { rpc }]) => rpc === 'find'))('says what is found: %s', (_, c) => {
    const { request, response } = decodedOf(c)
    const { keys } = decodeFindRequest(callData(c))
    const { results } = decodeFindResponse(replyData(c))

    expect(keys.map(hexOf)).toEqual(request.keys)
    expect(
      results.map(({ found, nearest }) => ({
        type: found === undefined ? 0 : found.isDictionary ? 2 : 1,
        value: hexOf(found?.value ?? new Uint8Array()),
        expirationTime: found?.expirationTime ?? 0,
        nearest: nearest.map(({ nodeId, peerId }) => ({
          nodeId: hexOf(nodeId),
          peerId: hexOf(peerId)
        }))
      }))
    ).toEqual(
      response.results.map((result: { expirationTime: number }) => ({
        ...result,
        expirationTime: numberOf(result.expirationTime)
      }))
    )
  })

  it.each(captures.filter(([, { rpc }]) => rpc === 'ping'))('says who is there: %s', (_, c) => {
    const { request, response } = decodedOf(c)
    const asked = decodePingRequest(callData(c))
    const { sender, dhtTime, isAvailable } = decodePingResponse(replyData(c))

    expect([hexOrNothing(asked.sender), asked.isValidated]).toEqual([
      request.nodeId,
      request.validate
    ])
    expect([hexOrNothing(sender), dhtTime, isAvailable]).toEqual([
      response.nodeId,
      numberOf(response.dhtTime),
      response.available
    ])
  })
})

function decodedOf({ decoded }: Capture): Capture['decoded'] {
  return decoded
}

function callData({ requestFrame }: Capture): Uint8Array {
  return decodeCall(messageIn(requestFrame)).data
}

function replyData({ replyFrame: reply }: Capture): Uint8Array {
  return decodeReply(messageIn(reply)).data as Uint8Array
}

describe('messages', () => {
  const MESSAGES: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
    'PingRequest(peer=00..13, validate)': CODECS.ping.request,
    'PingRequest(client mode: empty NodeInfo)': CODECS.ping.request,
    PingResponse: CODECS.ping.response,
    StoreRequest: CODECS.store.request,
    StoreResponse: CODECS.store.response,
    FindRequest: CODECS.find.request,
    'FindResponse(dict, notfound)': CODECS.find.response
  }

  it.each(Object.entries(MESSAGES))('read and write %s as Python does', (name, codec) => {
    const hex = vectors.protobuf[name] ?? ''
    expect(hex).not.toBe('')
    expect(hexOf(codec(bytesOfHex(hex)))).toBe(hex)
  })

  it('read numbers that are not packed', () => {
    const packed = '12010a1a01c022010129000000000000f03f30003a00'
    const [item] = decodeStoreRequest(bytesOfHex(packed)).items
    expect(item).toMatchObject({ expirationTime: 1, isInCache: false })
  })

  it('take a shorter id for a smaller number', () => {
    const [key] = decodeFindRequest(bytesOfHex('1202ff01')).keys
    expect(hexOf(key ?? new Uint8Array())).toBe(`${'0'.repeat(36)}ff01`)
  })

  it('pass over fields that they do not know', () => {
    expect(decodePingRequest(bytesOfHex('0a02abcd12001801ba3e01ff'))).toEqual({
      sender: undefined,
      isValidated: true
    })
  })

  it.each([
    ['an id of 21 bytes', `1215${'00'.repeat(21)}`],
    ['a field that is cut short', '1214ff'],
    ['a number that is cut short', '12ff'],
    ['a group', '13'],
    ['a number for bytes', '1001']
  ])('refuse %s', (_, hex) => {
    expect(() => decodeFindRequest(bytesOfHex(hex))).toThrow(
      expect.objectContaining({ name: 'MalformedBytesError' })
    )
  })

  it.each([
    ['lists of unequal length', '12010a12010b1a01c0220101'],
    ['expirations that are cut short', '12010a1a01c02201012a04000000003201003a00']
  ])('refuse a store request with %s', (_, hex) => {
    expect(() => decodeStoreRequest(bytesOfHex(hex))).toThrow(
      expect.objectContaining({ name: 'MalformedBytesError' })
    )
  })
})

describe('FrameCollector', () => {
  const message = bytesOfHex(vectors.protobuf['frame: call rpc_ping'] ?? '')

  it('gives the message once all of it is there, however it comes', () => {
    const collector = new FrameCollector()
    const given = [...message].map((byte) => collector.push(Uint8Array.of(byte)))

    expect(given.slice(0, -1).every((one) => one === undefined)).toBe(true)
    expect(decodeCall(given.at(-1) as Uint8Array).procedure).toBe('DHTProtocol.rpc_ping')
  })

  it('leaves out what follows', () => {
    const more = new FrameCollector().push(Uint8Array.of(...message, 1, 2, 3))
    expect(more).toEqual(message.subarray(1))
  })

  it.each([
    ['an empty message', '00'],
    ['a message beyond the limit', '81808002'],
    ['a length without an end', 'ff'.repeat(11)]
  ])('refuses %s', (_, hex) => {
    expect(MAX_FRAME_BYTES).toBe(4_194_304)
    expect(() => new FrameCollector().push(bytesOfHex(hex))).toThrow(
      expect.objectContaining({ name: 'MalformedBytesError' })
    )
  })

  it('waits for the rest of a length', () => {
    expect(new FrameCollector().push(bytesOfHex('ffff'))).toBeUndefined()
  })
})

describe('ProtobufReader', () => {
  it('reads no more fields and numbers than a message may have', () => {
    const field = Uint8Array.of(8, 0)
    const fields = (count: number): Uint8Array => Buffer.alloc(2 * count, field)
    expect(new ProtobufReader(fields(MAX_FIELDS)).uint(1)).toBe(0)
    expect(() => new ProtobufReader(fields(MAX_FIELDS + 1))).toThrow(/more than 65536 fields/)

    const packed = new ProtobufWriter()
      .packedBooleans(1, new Array(MAX_FIELDS + 1).fill(true))
      .packedDoubles(2, new Array(MAX_FIELDS + 1).fill(1))
      .finish()
    expect(() => new ProtobufReader(packed).booleans(1)).toThrow(/more than 65536 fields/)
    expect(() => new ProtobufReader(packed).doubles(2)).toThrow(/more than 65536 fields/)
  })
})

describe('replyFrame', () => {
  it('reports the beginning of a long error', () => {
    const frame = replyFrame({ callId: new Uint8Array(16), error: 'x'.repeat(MAX_FRAME_BYTES) })
    const reply = decodeReply(new FrameCollector().push(frame) ?? new Uint8Array(0))
    expect(reply.error).toBe('x'.repeat(1024))
  })
})

describe('decodeCall', () => {
  it.each([
    ['a call id of 15 bytes', '0a0f00000000000000000000000000000000000'],
    ['no call', '0a1000000000000000000000000000000000'],
    ['a call without its peer', '0a10000000000000000000000000000000001a06120161 1a0161'],
    ['a call without its data', '0a10000000000000000000000000000000001a050a00120161']
  ])('refuses %s', (_, hex) => {
    const even = hex.replaceAll(' ', '')
    expect(() => decodeCall(bytesOfHex(even.length % 2 === 0 ? even : `${even}0`))).toThrow(
      expect.objectContaining({ name: 'MalformedBytesError' })
    )
  })
})

describe('decodeReply', () => {
  it('gives the text of what went wrong', () => {
    const reply = decodeReply(messageIn(vectors.protobuf['frame: response error'] ?? ''))
    expect(reply.error).toBe("ValueError('x')")
    expect(hexOf(replyFrame(reply))).toBe(vectors.protobuf['frame: response error'])
  })

  it('refuses one without an answer', () => {
    expect(() =>
      decodeReply(bytesOfHex('0a1000000000000000000000000000000000 2200'.replace(' ', '')))
    ).toThrow(expect.objectContaining({ name: 'MalformedBytesError' }))
  })
})
