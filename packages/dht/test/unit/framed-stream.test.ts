import type { Stream } from '@libp2p/interface'
import { recordKey } from '@waggle/record'
import { describe, expect, it, vi } from 'vitest'
import { EXCHANGE, type FindRequest, type Message } from '../../src/exchange/messages.ts'
import { FramedStream } from '../../src/wire/framed-stream.ts'
import { MAX_BYTES_IN_FLIGHT } from '../../src/wire/limits.ts'
import { turns } from '../support/end-of-turn.ts'
import { streamSource } from '../support/exchange-streams.ts'
import { encoded, frameOf } from '../support/exchange-talker.ts'
import { findKey } from '../support/find-answers.ts'

const QUESTION: FindRequest = {
  name: 'find',
  id: 1,
  closerCount: 0,
  isCloserAlways: false,
  keys: [findKey(recordKey('key'))]
}

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
