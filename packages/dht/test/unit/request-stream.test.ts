import type { Stream } from '@libp2p/interface'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { BufferLimits } from '../../src/admission/buffer-limits.ts'
import { DEFAULT_NODE_LIMITS } from '../../src/node-limits.ts'
import { INACTIVITY_TIMEOUT_MS, TARGET_MESSAGE_BYTES } from '../../src/wire/limits.ts'
import { MessageTooLargeError } from '../../src/wire/message-too-large-error.ts'
import type { PendingRequest } from '../../src/wire/request-queue.ts'
import { RequestStream, type RequestStreamInit } from '../../src/wire/request-stream.ts'
import { type EchoMessage, echoRequests, echoTalker, word } from '../support/echo-protocol.ts'
import { turns } from '../support/end-of-turn.ts'
import { Mailbox } from '../support/exchange-mailbox.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { frameOf, type Talker } from '../support/exchange-talker.ts'

type EchoStream = RequestStream<Uint8Array, string, EchoMessage>
type Init = RequestStreamInit<Uint8Array, string, EchoMessage>
type Unsent = readonly PendingRequest<Uint8Array, string>[]

const source = useStreamSource()

afterEach(() => {
  vi.useRealTimers()
})

interface Asking {
  readonly stream: EchoStream
  readonly talkers: Mailbox<Talker<EchoMessage>>
  readonly onEnd: ReturnType<typeof vi.fn<(error: Error, unsent: Unsent) => void>>
  readonly onViolation: ReturnType<typeof vi.fn<(error: Error) => void>>

  /** The client's own ends. */
  readonly own: Mailbox<Stream>
}

function asking(init: Partial<Init> = {}): Asking {
  const talkers = new Mailbox<Talker<EchoMessage>>()
  const own = new Mailbox<Stream>()
  const onEnd = vi.fn<(error: Error, unsent: Unsent) => void>()
  const onViolation = vi.fn<(error: Error) => void>()
  const stream = new RequestStream<Uint8Array, string, EchoMessage>({
    protocol: echoRequests(),
    limits: { maxRequests: 1000, maxRequestBytes: 1_000_000 },
    open: async () => {
      const [mine, theirs] = await source.open()
      own.push(mine)
      talkers.push(echoTalker(theirs))
      return mine
    },
    buffers: new BufferLimits(DEFAULT_NODE_LIMITS),
    peer: 'peer',
    onReply: () => {},
    onViolation,
    onEnd,
    ...init
  })
  return { stream, talkers, onEnd, onViolation, own }
}

describe('RequestStream', () => {
  it('sends the requests of one tick together, and gives replies in the order of requests', async () => {
    const { stream, talkers } = asking()
    const first = Promise.all(['a', 'b'].map((text) => stream.request(word(text))))
    const talker = await talkers.next()
    expect((await talker.hear('say')).words).toHaveLength(2)
    talker.say({ name: 'echo', words: [word('A'), word('B')] })

    expect(await first).toEqual(['A', 'B'])
  })

  it('rejects a request that no message can hold, and sends the others (N13l)', async () => {
    const limits = { maxRequests: 1000, maxRequestBytes: 1_000_000, maxMessageBytes: 100 }
    const { stream, talkers, onEnd } = asking({ limits })
    const small = stream.request(word('a'))
    const large = stream.request(word('b'.repeat(TARGET_MESSAGE_BYTES)))
    const next = stream.request(word('c'))
    const talker = await talkers.next()

    await expect(large).rejects.toThrow(MessageTooLargeError)
    expect((await talker.hear('say')).words).toEqual([word('a'), word('c')])
    talker.say({ name: 'echo', words: [word('A'), word('C')] })
    expect(await Promise.all([small, next])).toEqual(['A', 'C'])
    expect(onEnd).not.toHaveBeenCalled()
    expect([stream.waiting, stream.inFlight]).toEqual([0, 0])
  })

  it('sends what was left unanswered again, as many at once as were answered (N12)', async () => {
    const { stream, talkers } = asking()
    const all = Promise.all(['a', 'b', 'c'].map((text) => stream.request(word(text))))
    const talker = await talkers.next()
    await talker.hear('say')
    talker.say({ name: 'echo', words: [word('A')] })
    expect((await talker.hear('say')).words).toEqual([word('b')])
    expect((await talker.hear('say')).words).toEqual([word('c')])
    talker.say({ name: 'echo', words: [word('B')] }, { name: 'echo', words: [word('C')] })

    expect(await all).toEqual(['A', 'B', 'C'])
  })

  it.each<[string, Partial<Init['limits']>]>([
    ['requests', { maxRequests: 3 }],
    ['bytes', { maxRequestBytes: 3 }]
  ])(
    'refuses more %s than may wait, and takes others once they are cancelled (N9j)',
    async (_, limits) => {
      vi.useFakeTimers({ toFake: ['performance'] })
      const { stream } = asking({
        limits: { maxRequests: 1000, maxRequestBytes: 1000, ...limits },
        open: () => new Promise(() => {})
      })
      const leaving = { isCancelled: false }
      const waiting = ['a', 'b', 'c'].map((text) => stream.request(word(text), leaving))
      const outcomes = Promise.allSettled(waiting)
      await expect(stream.request(word('d'))).rejects.toMatchObject({ name: 'BusyError' })

      leaving.isCancelled = true
      vi.advanceTimersByTime(1000)
      const last = stream.request(word('e'))
      const names = (await outcomes).map((outcome) => Reflect.get(outcome, 'reason').name)
      expect(names).toEqual(['AbortError', 'AbortError', 'AbortError'])
      expect(stream.waiting).toBe(1)
      stream.close(new Error('over'))
      await expect(last).rejects.toThrow('over')
    }
  )

  it('hands back what is not answered when the peer ends the stream (N8d)', async () => {
    const { stream, talkers, onEnd } = asking()
    stream.request(word('sent')).catch(() => {})
    const talker = await talkers.next()
    await talker.hear('say')
    stream.request(word('unsent')).catch(() => {})
    talker.stream.abort(new Error('reset'))
    await vi.waitFor(() => expect(onEnd).toHaveBeenCalledOnce())

    const [, unanswered] = onEnd.mock.calls[0] as [Error, Unsent]
    expect(unanswered.map(({ request }) => request)).toEqual([word('sent'), word('unsent')])
  })

  it('tells of a peer that replies to no request, and ends (N9c)', async () => {
    const { stream, talkers, onViolation, onEnd } = asking()
    const asked = stream.request(word('a'))
    const talker = await talkers.next()
    await talker.hear('say')
    talker.say({ name: 'echo', words: [word('A')] }, { name: 'echo', words: [word('B')] })

    expect(await asked).toBe('A')
    await vi.waitFor(() => expect(onViolation).toHaveBeenCalledOnce())
    expect(onEnd).toHaveBeenCalledOnce()
    expect(stream.isOpen).toBe(false)
  })

  it('ends when nothing is asked any more, where the protocol says so', async () => {
    const { stream, talkers, onEnd, onViolation } = asking({ protocol: echoRequests(true) })
    const asked = stream.request(word('a'))
    const talker = await talkers.next()
    await talker.hear('say')
    talker.say({ name: 'echo', words: [word('A')] })

    expect(await asked).toBe('A')
    await talker.ended
    expect(onEnd).toHaveBeenCalledOnce()
    expect(onViolation).not.toHaveBeenCalled()
  })
})

describe('the inactivity timer of a stream', () => {
  const WAIT_MS = INACTIVITY_TIMEOUT_MS * 0.6

  /** Opens a stream with one request in flight, in manual time. */
  async function waiting(): Promise<
    Asking & { talker: Talker<EchoMessage>; asked: Promise<string> }
  > {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const all = asking()
    const asked = all.stream.request(word('a'))
    const talker = await all.talkers.next()
    await talker.hear('say')
    return { ...all, talker, asked }
  }

  it('ends one on which nothing comes although a reply is due (N8d)', async () => {
    const { asked } = await waiting()
    const rejected = expect(asked).rejects.toThrow('silent')
    await vi.advanceTimersByTimeAsync(2 * INACTIVITY_TIMEOUT_MS + 1)

    await rejected
  })

  it('spares one that is busy all the time: each reply starts it anew (N8d)', async () => {
    const { stream, talker, asked, onEnd } = await waiting()
    let previous = asked

    for (let i = 0; i < 4; i++) {
      const next = stream.request(word(`${i}`))
      await vi.advanceTimersByTimeAsync(WAIT_MS)
      await talker.hear('say')
      talker.say({ name: 'echo', words: [word('echo')] })
      expect(await previous).toBe('echo')
      previous = next
    }

    talker.say({ name: 'echo', words: [word('echo')] })
    expect(await previous).toBe('echo')
    expect(onEnd).not.toHaveBeenCalled()
  })

  it('spares one on which a large reply comes bit by bit (N8d)', async () => {
    const { talker, asked, own } = await waiting()
    const mine = await own.next()
    const frame = frameOf(Uint8Array.of(1, 1, 4, ...word('ECHO')))

    for (let at = 0; at < frame.length; at += 3) {
      let isThere = false
      mine.addEventListener('message', () => (isThere = true), { once: true })
      talker.sayBytes(frame.subarray(at, at + 3))
      await vi.waitUntil(() => isThere)
      await vi.advanceTimersByTimeAsync(WAIT_MS)
    }

    expect(await asked).toBe('ECHO')
  })

  it('is of no concern while no reply is due', async () => {
    const { talker, asked, onEnd } = await waiting()
    talker.say({ name: 'echo', words: [word('A')] })
    await asked
    await vi.advanceTimersByTimeAsync(5 * INACTIVITY_TIMEOUT_MS)
    await turns(5)

    expect(onEnd).not.toHaveBeenCalled()
  })
})
