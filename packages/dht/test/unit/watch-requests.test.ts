import { beforeEach, describe, expect, it } from 'vitest'
import type { WatchedPlace } from '../../src/watch/watch-messages.ts'
import {
  WATCH,
  type WatchedReply,
  type WatchMessage,
  type WatchState
} from '../../src/watch/watch-messages.ts'
import {
  type SubscriptionRequest,
  type SubscriptionResponse,
  watchRequests
} from '../../src/watch/watch-requests.ts'
import { MAX_KEYS_PER_MESSAGE, MAX_UNCHECKED_RECORDS } from '../../src/wire/limits.ts'
import { PeerDecoder } from '../../src/wire/peer-codec.ts'
import { bytesOf } from '../support/exchange-asking.ts'
import { Mailbox } from '../support/exchange-mailbox.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { Talker } from '../support/exchange-talker.ts'
import { type Asker, askerOf } from '../support/protocol-asker.ts'
import { rejection } from '../support/rejection.ts'

const decoder = new PeerDecoder()

const source = useStreamSource()
let client: Asker<SubscriptionRequest, SubscriptionResponse>
let talkers: Mailbox<Talker<WatchMessage>>
let changes: string[]

/** Settles the running checks of changes, where these are to take a while. */
let checks: Mailbox<() => void>
let isChecking: boolean
let ends: number

beforeEach(() => {
  talkers = new Mailbox()
  changes = []
  checks = new Mailbox()
  isChecking = false
  ends = 0
  client = askerOf({
    open: async () => {
      const [mine, theirs] = await source.open()
      talkers.push(new Talker<WatchMessage>(theirs, WATCH))
      return mine
    },
    speak: () => watchRequests({ peerOf: (peer) => decoder.of(peer), onChange }),
    onEnd: () => {
      ends++
    }
  })
})

function onChange({ key }: WatchedPlace, record: Uint8Array): void {
  changes.push(`${new TextDecoder().decode(key)}: ${new TextDecoder().decode(record)}`)

  if (isChecking) {
    client.checking(new Promise<void>((resolve) => checks.push(resolve)))
  }
}

function question(name: SubscriptionRequest['name'], key: string): SubscriptionRequest {
  return { name, key: bytesOf(key), digest: new Uint8Array(), closerCount: 5, role: 'prompt' }
}

function ask(...keys: string[]): Promise<SubscriptionResponse[]> {
  return Promise.all(keys.map((key) => client.ask(question('watch', key))))
}

function watched(...states: WatchState[]): WatchedReply {
  return { name: 'watched', peers: [], answers: states.map((state) => ({ state, closer: [] })) }
}

function changed(key: string, record = key): WatchMessage {
  return { name: 'changed', key: bytesOf(key), record: bytesOf(record) }
}

describe('watchRequests', () => {
  it('asks for all keys of one turn in one message, and hears of their changes', async () => {
    const answers = ask('a', 'b')
    const peer = await talkers.next()
    expect((await peer.hear('watch')).keys).toHaveLength(2)
    peer.say(watched('watched', 'refused'), changed('a', '1'), changed('a', '2'))

    expect((await answers).map(({ state }) => state)).toEqual(['watched', 'refused'])
    expect(changes).toEqual(['a: 1', 'a: 2'])
  })

  it('parts what does not fit into one message, and asks again for what was not answered', async () => {
    const keys = Array.from({ length: MAX_KEYS_PER_MESSAGE + 1 }, (_, i) => `key ${i}`)
    const answers = ask(...keys)
    const peer = await talkers.next()
    expect((await peer.hear('watch')).keys).toHaveLength(MAX_KEYS_PER_MESSAGE)
    expect((await peer.hear('watch')).keys).toHaveLength(1)
    peer.say(watched(...new Array(MAX_KEYS_PER_MESSAGE - 2).fill('watched')), watched('watched'))
    expect((await peer.hear('watch')).keys).toHaveLength(2)
    peer.say(watched('watched', 'watched'))

    expect(await answers).toHaveLength(keys.length)
  })

  it('lets pass in silence what was under way when it wanted no more', async () => {
    const answers = ask('a', 'b')
    const peer = await talkers.next()
    await peer.hear('watch')
    peer.say(watched('watched', 'watched'))
    await answers
    const ended = client.ask(question('unwatch', 'a'))
    await peer.hear('unwatch')
    peer.say(changed('a'), watched('ended'), changed('b'))
    await ended

    await expect.poll(() => changes).toEqual(['b: b'])
    peer.say(changed('a'))
    expect(await peer.ended).toBeInstanceOf(Error)
    expect(ends).toBe(1)
  })

  it('hears again of what it wanted no more and wants after all', async () => {
    await watching('a')
    const peer = current
    const both = [client.ask(question('unwatch', 'a')), client.ask(question('watch', 'a'))]
    await peer.hear('unwatch')
    await peer.hear('watch')
    peer.say(watched('ended'), watched('watched'), changed('a', 'again'))
    await Promise.all(both)

    await expect.poll(() => changes).toEqual(['a: again'])
  })

  it('ends the stream when nothing is watched any more', async () => {
    await watching('a')
    const ended = client.ask(question('unwatch', 'a'))
    await current.hear('unwatch')
    current.say(watched('ended'))

    expect((await ended).state).toBe('ended')
    expect(await current.ended).toBeInstanceOf(Error)
    expect(ends).toBe(1)
  })

  it('does not ask what nobody wants to know any more', async () => {
    const unwanted = rejection(client.ask(question('watch', 'a'), { isCancelled: true }))
    const wanted = ask('b')
    const peer = await talkers.next()

    expect((await peer.hear('watch')).keys.map(({ key }) => key)).toEqual([bytesOf('b')])
    expect(await unwanted).toMatchObject({ name: 'AbortError' })
    peer.say(watched('watched'))
    await wanted
  })

  it('asks again over a new stream when the peer ends the first (N8d)', async () => {
    const asked = ask('a')
    const first = await talkers.next()
    await first.hear('watch')
    first.stream.abort(new Error('gone'))

    const second = await talkers.next()
    await second.hear('watch')
    second.say(watched('watched'))
    expect((await asked).map(({ state }) => state)).toEqual(['watched'])
    expect(ends).toBe(1)
  })
})

describe('a replica that', () => {
  it('tells more than can be checked is read no faster than that, and all of it in the end (N9e)', async () => {
    await watching('a')
    isChecking = true
    const told = Array.from({ length: 5 * MAX_UNCHECKED_RECORDS }, (_, i) => `${i}`)
    current.say(...told.map((record) => changed('a', record)))
    await expect.poll(() => changes.length).toBeGreaterThan(0)

    for (const [i] of told.entries()) {
      expect(changes.length).toBeLessThanOrEqual(i + MAX_UNCHECKED_RECORDS)
      const settle = await checks.next()
      settle()
    }

    expect(changes).toEqual(told.map((record) => `a: ${record}`))
    const again = ask('b')
    await current.hear('watch')
    current.say(watched('refused'))
    expect(await again).toMatchObject([{ state: 'refused' }])
  })

  it.each<[string, () => WatchMessage]>([
    ['tells of a key that it was never asked for', () => changed('never')],
    ['answers no question', () => watched('watched')],
    ['answers too much', () => watched('watched', 'watched')],
    ['asks itself', () => ({ name: 'unwatch', keys: [] })]
  ])('%s is left (N9c)', async (_, offence) => {
    await watching('a')
    current.say(offence())

    expect(await current.ended).toBeInstanceOf(Error)
    expect(ends).toBe(1)
    expect(changes).toEqual([])
  })

  it.each<[string, WatchedReply]>([
    ['answers nothing of what was asked', watched()],
    ['answers too much', watched('watched', 'watched')],
    ['ends what was to begin', watched('ended')]
  ])('%s is left, and what was asked rejects (N9c)', async (_, answer) => {
    const asked = rejection(ask('a'))
    const peer = await talkers.next()
    await peer.hear('watch')
    peer.say(answer)

    expect(await asked).toMatchObject({ name: 'ProtocolViolationError' })
  })
})

let current: Talker<WatchMessage>

/** Lets the peer watch a key. */
async function watching(key: string): Promise<void> {
  const answers = ask(key)
  current = await talkers.next()
  await current.hear('watch')
  current.say(watched('watched'))
  await answers
}
