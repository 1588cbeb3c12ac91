import type { Stream } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type ConnectionPair,
  connectionPair,
  type Making,
  transportOf
} from '../support/connection-pair.ts'
import { turns } from '../support/end-of-turn.ts'
import { PATIENCE } from '../support/libp2p-node.ts'
import { load, receiveAll, sendAll } from '../support/transfer.ts'

const MIB = 2 ** 20

/** Bytes of yamux's initial window. */
const WINDOW = 256 * 1024

const MAKINGS: [near: Making, far: Making][] = [
  ['ours', 'plain'],
  ['plain', 'ours'],
  ['ours', 'ours']
]

describe.each(MAKINGS)('a connection that is %s at one end and %s at the other', (near, far) => {
  let pair: ConnectionPair

  beforeEach(async () => {
    pair = await connectionPair({ near, far })
  })

  afterEach(() => pair?.[Symbol.asyncDispose]())

  it('carries 20 MB each way at once to slow readers, all of it and in order (N9e)', async () => {
    const [a, b] = await pair.open()
    const [there, back] = [load(20 * MIB), load(20 * MIB)]
    const received = [
      receiveAll(b, there.bytes.length, { breakAfterBytes: 700_000 }),
      receiveAll(a, back.bytes.length, { breakAfterBytes: 90_000 })
    ]
    await Promise.all([sendAll(a, there), sendAll(b, back)])

    expect(await Promise.all(received)).toEqual([there.digest, back.digest])
  })

  it('carries more streams at once than it holds window updates of', async () => {
    const count = 300
    const size = WINDOW + 100_000
    const streams: [Stream, Stream][] = []

    for (let i = 0; i < count; i++) {
      streams.push(await pair.open())
    }

    const small = load(size)
    const digests = await Promise.all(
      streams.flatMap(([a, b]) => {
        const received = receiveAll(b, size)
        return [received, sendAll(a, small).then(() => small.digest)]
      })
    )

    expect(new Set(digests)).toEqual(new Set([small.digest]))
  })

  it.each([1, 1000, 65_536, WINDOW / 2 - 1, WINDOW / 2, WINDOW - 1, WINDOW, WINDOW + 1])(
    'never comes to a stop, with messages of %i bytes that wait for one another',
    async (size) => {
      const [a, b] = await pair.open()
      const message = load(size)
      // Several windows of it, or many messages.
      const rounds = Math.min(500, Math.ceil((8 * WINDOW) / size))

      for (let i = 0; i < rounds; i++) {
        const received = receiveAll(i % 2 === 0 ? b : a, size)
        await sendAll(i % 2 === 0 ? a : b, message)
        expect(await received).toBe(message.digest)
      }
    }
  )

  it('makes a sender wait when nobody reads a stream, and goes on when somebody does (N9e)', async () => {
    const [a, b] = await pair.open()
    b.pause()
    const piece = new Uint8Array(16 * 1024)
    let sent = 0

    while (a.send(piece)) {
      sent += piece.length
      await turns()
      expect(sent).toBeLessThan(4 * WINDOW)
    }

    sent += piece.length
    await vi.waitUntil(() => b.readBufferLength === WINDOW, PATIENCE)
    await turns(20)
    expect(b.readBufferLength).toBe(WINDOW)
    expect(a.writableNeedsDrain).toBe(true)

    const received = receiveAll(b, sent)
    b.resume()
    await received
    await vi.waitUntil(() => !a.writableNeedsDrain, PATIENCE)
    expect(a.send(piece)).toBe(true)
  })

  it('lets other streams go on while nobody reads one of them (N9e)', async () => {
    const [blocked, unread] = await pair.open()
    unread.pause()
    blocked.send(new Uint8Array(2 * WINDOW))
    const [a, b] = await pair.open()
    const there = load(5 * MIB)
    const received = receiveAll(b, there.bytes.length)
    await sendAll(a, there)

    expect(await received).toBe(there.digest)
    expect(unread.readBufferLength).toBe(WINDOW)
  })

  it('makes all senders wait when the other side reads nothing at all (N9e)', {
    timeout: 120_000
  }, async () => {
    const pairs: [Stream, Stream][] = []

    for (let i = 0; i < 100; i++) {
      pairs.push(await pair.open())
    }

    const transport = transportOf(pair.there)
    transportOf(pair.back).pause()
    const piece = new Uint8Array(16 * 1024)
    let sent = 0

    // All windows together have room for 25 MiB, which is more than the system takes.
    for (let round = 0; round < 16; round++) {
      for (const [a] of pairs) {
        if (!a.writableNeedsDrain) {
          sent += piece.length
          a.send(piece)
          await turns()
        }
      }
    }

    expect(sent).toBeLessThan(20 * MIB)
    expect(transport.writableNeedsDrain).toBe(true)
    expect(transport.writeBufferLength).toBeLessThan(MIB)

    const received = pairs.map(([, b]) => b.readBufferLength)
    expect(received.reduce((sum, size) => sum + size)).toBeLessThan(sent)
    transportOf(pair.back).resume()
    await vi.waitUntil(
      () => sent === pairs.reduce((sum, [, b]) => sum + b.readBufferLength, 0),
      PATIENCE
    )
    await vi.waitUntil(() => pairs.every(([a]) => !a.writableNeedsDrain), PATIENCE)
  })

  it('loses nothing of what was sent before a stream is closed', async () => {
    for (const size of [1, 1000, WINDOW, 3 * MIB]) {
      const [a, b] = await pair.open()
      const there = load(size)
      const received = receiveAll(b, size)
      a.send(there.bytes)
      await a.close()
      expect(await received).toBe(there.digest)

      const back = load(size)
      const answered = receiveAll(a, size)
      b.send(back.bytes)
      await b.close()
      expect(await answered).toBe(back.digest)
      await vi.waitUntil(() => a.status === 'closed' && b.status === 'closed', PATIENCE)
    }
  })

  it('loses nothing of what was sent before it is closed itself', async () => {
    const [a, b] = await pair.open()
    const there = load(3 * MIB)
    const received = receiveAll(b, there.bytes.length)
    a.send(there.bytes)
    await pair.there.close()

    expect(await received).toBe(there.digest)
    await vi.waitUntil(() => pair.back.status !== 'open', PATIENCE)
  })

  it('tells the other side when a stream is reset, and of nothing else', async () => {
    const [[a, b], [c, d]] = [await pair.open(), await pair.open()]
    a.abort(new Error('enough'))
    await vi.waitUntil(() => b.status === 'reset', PATIENCE)

    const there = load(100_000)
    const received = receiveAll(d, there.bytes.length)
    c.send(there.bytes)
    expect(await received).toBe(there.digest)
    expect(pair.back.status).toBe('open')
  })

  it('ends at both sides, with all its streams, when one resets it', async () => {
    const streams = [await pair.open(), await pair.open()]
    pair.there.abort(new Error('enough'))
    await vi.waitUntil(() => pair.back.status !== 'open', PATIENCE)

    for (const [a, b] of streams) {
      expect(a.status).toBe('aborted')
      await vi.waitUntil(() => b.status !== 'open', PATIENCE)
    }
  })

  it('takes a stream that the other side opens while it is being closed for what it is (N9c)', async () => {
    await blockPartly(pair)
    const closing = pair.there.close()
    await vi.waitUntil(() => transportOf(pair.there).status === 'closing', PATIENCE)

    // The answer to it can no longer be sent, which is no reason for the process to end.
    const opening = pair.back.newStream('/anything/1.0.0')
    const refused = expect(opening).rejects.toThrow()
    await vi.waitUntil(() => transportOf(pair.there).status !== 'closing', PATIENCE)
    transportOf(pair.back).resume()
    await refused
    await closing
  })
})

/** Stops reading at the far end, and sends from the near one until bytes wait in its process. */
async function blockPartly(pair: ConnectionPair): Promise<void> {
  const streams: Stream[] = []

  for (let i = 0; i < 60; i++) {
    const [a] = await pair.open()
    streams.push(a)
  }

  const transport = transportOf(pair.there)
  const waiting = (): number => Reflect.get(Reflect.get(transport, 'socket'), 'writableLength')
  transportOf(pair.back).pause()

  for (let i = 0; ; i++) {
    streams[i % streams.length]?.send(new Uint8Array(8000))
    await turns(2)

    if (waiting() > 0) {
      await new Promise((resolve) => setTimeout(resolve, 20))

      if (waiting() > 0) {
        expect(transport.writableNeedsDrain).toBe(false)
        return
      }
    }
  }
}
