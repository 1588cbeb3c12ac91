import type { Stream } from '@libp2p/interface'
import { recordKey } from '@waggle/record'
import { describe, expect, it, vi } from 'vitest'
import { EXCHANGE, type FindRequest, type Message } from '../../src/exchange/messages.ts'
import { ByteWriter } from '../../src/wire/bytes.ts'
import { FramedStream } from '../../src/wire/framed-stream.ts'
import { writeAck, writePart } from '../../src/wire/frames.ts'
import { MAX_BYTES_IN_FLIGHT } from '../../src/wire/limits.ts'
import { turns } from '../support/end-of-turn.ts'
import { encodedWrite } from '../support/exchange-serving.ts'
import { streamSource } from '../support/exchange-streams.ts'
import { encoded, frameOf, Talker } from '../support/exchange-talker.ts'
import { findKey } from '../support/find-answers.ts'

const QUESTION: FindRequest = {
  name: 'find',
  id: 1,
  closerCount: 0,
  isCloserAlways: false,
  maxAge: 0,
  keys: [findKey(recordKey('key'))]
}

/** Makes a bulk message of a single part. */
function bulkOf(message: Message): Uint8Array {
  const writer = new ByteWriter()
  writePart(writer, encoded(message), true)
  return writer.take()
}

function ackOf(bytes: number): Uint8Array {
  const writer = new ByteWriter()
  writeAck(writer, bytes)
  return writer.take()
}

function storeOf(id: number, bytes: number): Message {
  const writes = [encodedWrite(recordKey('key'), new Uint8Array(bytes))]
  return { name: 'store', id, closerCount: 0, isCacheOnly: false, writes }
}

describe('FramedStream with a bulk message', () => {
  it('goes on while a bulk message waits for acks, and sends it as they come (N12)', async () => {
    await using source = await streamSource()
    const [mine, theirs] = await source.open()
    const talker = new Talker(theirs)
    talker.isAcknowledging = false
    const framed = new FramedStream({
      ...{ stream: mine, codec: EXCHANGE, mayPass: true },
      onMessage: () => {},
      onClose: () => {}
    })
    framed.send(storeOf(1, 300_000))
    framed.send(storeOf(2, 10), true)
    framed.send(QUESTION)
    await talker.hear('find')
    expect(framed.isBulkBlocked).toBe(true)
    expect(framed.bufferedBytes).toBeGreaterThan(290_000)

    talker.acknowledge()
    expect(await talker.hear('store')).toEqual(storeOf(1, 300_000))
    expect(await talker.hear('store')).toEqual(storeOf(2, 10))
    await vi.waitFor(() => expect(framed.isBulkBlocked).toBe(false))
    expect(framed.bufferedBytes).toBe(0)
  })

  it('has room for another one before the last part of the first is sent, so that the line stays full (N12)', async () => {
    await using source = await streamSource()
    const [mine, theirs] = await source.open()
    const talker = new Talker(theirs)
    const hasRoom: boolean[] = []
    const framed = new FramedStream({
      ...{ stream: mine, codec: EXCHANGE, mayPass: true },
      onMessage: () => {},
      onClose: () => {},
      onSent: () => framed.isBulkBlocked && hasRoom.push(framed.hasRoomForBulk)
    })
    framed.send(storeOf(1, 300_000))
    await talker.hear('store')

    expect(hasRoom[0]).toBe(false)
    expect(hasRoom.at(-1)).toBe(true)
  })

  it('keeps the order where messages have no ids (N12)', async () => {
    await using source = await streamSource()
    const [mine, theirs] = await source.open()
    const talker = new Talker(theirs)
    const framed = new FramedStream({
      ...{ stream: mine, codec: EXCHANGE },
      onMessage: () => {},
      onClose: () => {}
    })
    framed.send(storeOf(1, 300_000))
    framed.send(QUESTION)

    expect(await talker.hear('store')).toEqual(storeOf(1, 300_000))
    await talker.hear('find')
  })

  it('answers small requests while bulk replies wait, and leaves bulk ones for later (N12)', async () => {
    await using source = await streamSource()
    const [mine, theirs] = await source.open()
    const talker = new Talker(theirs)
    talker.isAcknowledging = false
    const heard: number[] = []
    const framed: FramedStream<Message> = new FramedStream<Message>({
      ...{ stream: mine, codec: EXCHANGE, mayPass: true, isServer: true },
      onMessage({ id }) {
        heard.push(id)
        framed.send(storeOf(id, id < 10 ? 200_000 : 10))
      },
      onClose: () => {}
    })
    talker.sayBytes(bulkOf({ ...QUESTION, id: 1 }))
    talker.sayBytes(bulkOf({ ...QUESTION, id: 2 }))
    talker.sayBytes(frameOf(encoded({ ...QUESTION, id: 10 })))
    expect(await talker.hear('store')).toEqual(storeOf(10, 10))
    expect(heard).toEqual([1, 10])

    talker.acknowledge()
    expect(await talker.hear('store')).toEqual(storeOf(1, 200_000))
    expect(await talker.hear('store')).toEqual(storeOf(2, 200_000))
    expect(heard).toEqual([1, 10, 2])
    await vi.waitFor(() => {
      expect(talker.acks.reduce((sum, bytes) => sum + bytes, 0)).toBe(2 * encoded(QUESTION).length)
    })
  })

  it('ends when an ack comes for more than was sent (N9c)', async () => {
    await using source = await streamSource()
    const [mine, theirs] = await source.open()
    const onViolation = vi.fn()
    new FramedStream({
      ...{ stream: mine, codec: EXCHANGE, onViolation },
      onMessage: () => {},
      onClose: () => {}
    })
    theirs.send(ackOf(1))

    await vi.waitFor(() => expect(onViolation).toHaveBeenCalledOnce())
  })
})

describe('FramedStream, for the side that replies', () => {
  it('reads nothing while replies to very many bytes are in flight, and counts these (N9e)', async () => {
    await using source = await streamSource()
    const [theirs, mine] = await source.open()
    const messages: Message[] = []
    const framed = new FramedStream({
      ...{ stream: mine, codec: EXCHANGE, isServer: true },
      onMessage: (message) => messages.push(message),
      onClose: () => {}
    })
    const checks = [1, 2].map(() => Promise.withResolvers<void>())

    for (const { promise } of checks) {
      framed.trackReply(promise, MAX_BYTES_IN_FLIGHT / 2)
    }

    expect(framed.bufferedBytes).toBe(MAX_BYTES_IN_FLIGHT)
    theirs.send(frameOf(encoded(QUESTION)))
    await turns(20)
    expect(messages).toEqual([])

    checks[0]?.resolve()
    await vi.waitFor(() => expect(messages).toHaveLength(1))
    expect(framed.bufferedBytes).toBe(MAX_BYTES_IN_FLIGHT / 2)
  })
})

describe('FramedStream', () => {
  it.each([
    ['is reset', (stream: Stream) => stream.abort(new Error('enough'))],
    ['is closed by the other side', (stream: Stream) => stream.close()]
  ] as const)('ends where its stream %s before anybody listens (N9c)', async (_, end) => {
    await using source = await streamSource()
    const [theirs, mine] = await source.open()
    await end(theirs)
    await vi.waitUntil(() => mine.status !== 'open' || mine.remoteWriteStatus !== 'writable')
    const onClose = vi.fn()
    const framed = new FramedStream({
      ...{ stream: mine, codec: EXCHANGE, onClose },
      onMessage: () => {}
    })
    await vi.waitFor(() => expect(onClose).toHaveBeenCalledOnce())

    expect(framed.isOpen).toBe(false)
  })
})
