import { type PeerInfo, type Stream, UnsupportedProtocolError } from '@libp2p/interface'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { BufferLimits } from '../../src/admission/buffer-limits.ts'
import { DEFAULT_NODE_LIMITS } from '../../src/node-limits.ts'
import type { CancellationToken } from '../../src/timing/cancellation.ts'
import { type OpenOptions, UnwantedDialError } from '../../src/wire/dialer.ts'
import { FALLBACK_MEMORY_MS } from '../../src/wire/limits.ts'
import { type ClientParts, ProtocolClient } from '../../src/wire/protocol-client.ts'
import { type EchoMessage, echoRequests, echoTalker, word } from '../support/echo-protocol.ts'
import { Mailbox } from '../support/exchange-mailbox.ts'
import { contact } from '../support/exchange-serving.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { headOf, type Talker } from '../support/exchange-talker.ts'
import { PATIENCE } from '../support/libp2p-node.ts'
import { clientParts, welcomingPeers } from '../support/protocol-asker.ts'

const source = useStreamSource()

afterEach(() => {
  vi.useRealTimers()
})

const peer = contact(1)

interface Clientele {
  readonly client: ProtocolClient<Uint8Array, string, EchoMessage>
  readonly talkers: Mailbox<Talker<EchoMessage>>
  ask(text: string, to?: typeof peer, cancellation?: CancellationToken): Promise<string>
}

/** Makes a client whose peers the test controls. An error of `onOpen` prevents a stream. */
function clientele(onOpen: () => unknown = () => {}, parts: Partial<ClientParts> = {}): Clientele {
  const talkers = new Mailbox<Talker<EchoMessage>>()
  const open = async (): Promise<Stream> => {
    await onOpen()
    const [mine, theirs] = await source.open()
    talkers.push(echoTalker(theirs))
    return mine
  }
  const client = new ProtocolClient<Uint8Array, string, EchoMessage>({
    ...clientParts(open, parts),
    id: '/echo/1.0.0',
    speak: () => echoRequests()
  })

  return {
    client,
    talkers,
    ask: (text, to = peer, cancellation) =>
      client.request(to, word(text), {
        cancellation,
        onResponse: (response) => response,
        fallback: () => `without the protocol: ${text}`
      })
  }
}

async function echo(talker: Talker<EchoMessage>): Promise<void> {
  const { words } = await talker.hear('say')
  talker.say({ name: 'echo', words })
}

function unsupported(): never {
  throw new UnsupportedProtocolError('this peer has never heard of it')
}

describe('ProtocolClient', () => {
  it('has one stream to each peer, and opens another after it has ended', async () => {
    const { ask, client, talkers } = clientele()
    const asked = [ask('a'), ask('b', contact(2))]
    const [one, other] = [await talkers.next(), await talkers.next()]
    await Promise.all([one, other].map(echo))
    expect(await Promise.all(asked)).toEqual(['a', 'b'])

    one.stream.abort(new Error('gone'))
    other.stream.abort(new Error('gone'))
    await Promise.all([one.ended, other.ended])
    await vi.waitUntil(() => client.streamTo(peer) === undefined)
    const again = ask('again')
    await echo(await talkers.next())
    expect(await again).toBe('again')
  })

  it('does without the protocol where the peer lacks it, and remembers that for a while (N3)', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    let opened = 0
    const { ask, client } = clientele(() => {
      opened++
      unsupported()
    })

    expect(await ask('a')).toBe('without the protocol: a')
    expect(client.lacks(peer)).toBe(true)
    vi.advanceTimersByTime(FALLBACK_MEMORY_MS)
    expect(await ask('b')).toBe('without the protocol: b')
    expect(opened).toBe(1)

    vi.advanceTimersByTime(1)
    expect(await ask('c')).toBe('without the protocol: c')
    expect(opened).toBe(2)
  })

  it('rejects with any other reason why no stream can be opened, and tries again (N8d)', async () => {
    let isDown = true
    const { ask, talkers } = clientele(() => {
      if (isDown) {
        throw new Error('no route')
      }
    })
    await expect(ask('a')).rejects.toThrow('no route')
    isDown = false
    const asked = ask('b')
    await echo(await talkers.next())
    expect(await asked).toBe('b')
  })

  it('repeats what the peer left unanswered on another stream, twice at most (N8d)', async () => {
    // A moment after which it would be sent on the first one never comes.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { ask, talkers } = clientele()
    const onRepeat = vi.fn()
    const sent = ask('sent', peer, { isCancelled: false, onRepeat })
    const first = await talkers.next()
    await first.hear('say')
    const outcomes = Promise.allSettled([sent, ask('waits'), ask('waits, too')])
    expect(onRepeat).not.toHaveBeenCalled()
    first.stream.abort(new Error('gone'))

    const second = await talkers.next()
    const { words } = await second.hear('say')
    expect(words).toEqual([word('sent'), word('waits'), word('waits, too')])
    expect(onRepeat).toHaveBeenCalledOnce()
    second.say({ name: 'echo', words: words.slice(0, 2) })
    await second.hear('say')
    second.stream.abort(new Error('gone again'))

    const third = await talkers.next()
    await third.hear('say')
    third.stream.abort(new Error('gone for good'))

    expect(await outcomes).toMatchObject([
      { status: 'fulfilled', value: 'sent' },
      { status: 'fulfilled', value: 'waits' },
      { status: 'rejected' }
    ])
  })

  it('sends nothing again after a violation, and has the peer banned (N9c)', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const ban = vi.fn()
    const { ask, talkers } = clientele(() => {}, { peers: welcomingPeers({ ban }) })
    const asked = ask('a')
    const talker = await talkers.next()
    await talker.hear('say')
    const outcomes = Promise.allSettled([asked, ask('b')])
    talker.sayBytes(headOf(0))

    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ reason: { name: 'ProtocolViolationError' } })
    }

    await vi.waitFor(() => expect(ban).toHaveBeenCalledOnce())
    expect(talkers.size).toBe(0)
  })

  it('needs no stream for requests that were cancelled, and asks again for what came too late (N12)', async () => {
    const turn = Promise.withResolvers<void>()
    const opened: OpenOptions[] = []
    const talkers = new Mailbox<Talker<EchoMessage>>()
    const dialer: ClientParts['dialer'] = {
      hasten() {},
      async openStream(_to, _protocol, options = {}) {
        opened.push(options)
        await turn.promise

        if (!options.isWanted?.()) {
          throw new UnwantedDialError('nobody waits')
        }

        const [mine, theirs] = await source.open()
        talkers.push(echoTalker(theirs))
        return mine
      }
    }
    const { ask } = clientele(() => {}, { dialer })
    const cancellation = { isCancelled: false }
    const cancelled = ask('a', peer, cancellation)
    await vi.waitFor(() => expect(opened).toHaveLength(1))
    cancellation.isCancelled = true
    turn.resolve()
    const rejected = expect(cancelled).rejects.toMatchObject({ name: 'AbortError' })
    await turn.promise
    const late = ask('b')

    await rejected
    await echo(await talkers.next())
    expect(await late).toBe('b')
    expect(opened).toHaveLength(2)
    expect(talkers.size).toBe(0)
  })

  it('opens a stream for bulk until a single request needs it (N12)', async () => {
    const hasten = vi.fn()
    const openStream = vi.fn(
      (_to: PeerInfo, _protocol: string, _options?: OpenOptions) => new Promise<Stream>(() => {})
    )
    const { ask, client } = clientele(() => {}, { dialer: { hasten, openStream } })
    const bulk = { isCancelled: false, isBulk: true }
    const asked = [ask('a', peer, bulk), ask('c', contact(2), bulk), ask('d', contact(2))]
    await vi.waitFor(() => expect(openStream).toHaveBeenCalledTimes(2))
    const [[, protocol, first], [, , second]] = openStream.mock.calls as [
      Parameters<typeof openStream>,
      Parameters<typeof openStream>
    ]
    expect([first?.isBulk?.(), second?.isBulk?.()]).toEqual([true, false])
    expect(hasten).not.toHaveBeenCalled()

    asked.push(ask('b'), ask('b again'))
    expect(hasten).toHaveBeenCalledExactlyOnceWith(peer, protocol)
    expect(first?.isBulk?.()).toBe(false)
    expect(openStream).toHaveBeenCalledTimes(2)
    client.close()
    await Promise.allSettled(asked)
  })

  it('records each reply', async () => {
    const recordResponse = vi.fn()
    const { ask, talkers } = clientele(() => {}, { peers: welcomingPeers({ recordResponse }) })
    const asked = ask('a')
    expect(recordResponse).not.toHaveBeenCalled()
    await echo(await talkers.next())
    await asked
    expect(recordResponse).toHaveBeenCalledExactlyOnceWith(peer.id)
  })

  it(
    'counts what its streams hold with those that are served (N9d)',
    async () => {
      const limits = { ...DEFAULT_NODE_LIMITS, maxBufferedBytesPerPeer: 100_000 }
      const buffers = new BufferLimits(limits)
      const { ask, talkers } = clientele(() => {}, { buffers })
      const rejected = expect(ask('a')).rejects.toThrow('too many')
      const talker = await talkers.next()
      await talker.hear('say')
      talker.sayBytes(headOf(1_000_000))
      talker.sayBytes(new Uint8Array(200_000))

      await rejected
      buffers.stop()
      await talker.ended
    },
    PATIENCE.timeout
  )

  it('rejects all that is asked when it is closed, and opens nothing any more', async () => {
    const { ask, client, talkers } = clientele()
    const asked = [ask('a'), ask('b', contact(2))]
    const both = [await talkers.next(), await talkers.next()]
    await Promise.all(both.map((talker) => talker.hear('say')))
    const outcomes = Promise.allSettled([...asked, ask('waits')])
    client.close()

    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ reason: { name: 'AbortError' } })
    }

    for (const { ended } of both) {
      expect(await ended).toMatchObject({ name: 'StreamResetError' })
    }

    expect(talkers.size).toBe(0)
  })
})
