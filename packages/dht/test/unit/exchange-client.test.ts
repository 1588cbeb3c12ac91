import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { StoredReply } from '../../src/exchange/messages.ts'
import {
  BATCH_REQUESTS,
  MAX_BATCH_DELAY_MS,
  MAX_KEYS_PER_MESSAGE,
  TARGET_MESSAGE_BYTES
} from '../../src/wire/limits.ts'
import { encodePeer } from '../../src/wire/peer-codec.ts'
import { encodedPeer } from '../support/encoded-peers.ts'
import { asking, bytesOf, find, found, store, stored, told } from '../support/exchange-asking.ts'
import { contact, encodedWrite } from '../support/exchange-serving.ts'
import { type StreamSource, streamSource } from '../support/exchange-streams.ts'
import type { Talker } from '../support/exchange-talker.ts'
import { keysOf, nothing } from '../support/find-answers.ts'

let source: StreamSource

beforeAll(async () => {
  source = await streamSource()
})

afterAll(() => source?.[Symbol.asyncDispose]())

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `key ${i}`)
}

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes)
}

/** Makes a record that fills a part of a message. */
function recordOf(part: number): Uint8Array {
  return new Uint8Array(part * TARGET_MESSAGE_BYTES)
}

describe('ExchangeClient', () => {
  it('asks the questions of one tick in one message (N3, N4)', async () => {
    const { ask, peer, counts } = asking(source)
    const answers = ask(find('a'), find('b'), find('c'))
    const talker = await peer()
    const { id, keys, closerCount, isCloserAlways } = await talker.hear('find')
    talker.say(found(id, ['A', null, 'C']))

    expect(keysOf(keys)).toEqual(['a', 'b', 'c'].map(bytesOf))
    expect({ closerCount, isCloserAlways }).toEqual({ closerCount: 5, isCloserAlways: false })
    expect(told(await answers)).toEqual(['A', undefined, 'C'])
    expect(talker.unheard).toBe(0)
    expect(counts).toEqual({ opened: 1, idle: 0 })
  })

  it('asks the writes of one tick in one message, too (N3, N4)', async () => {
    const { ask, peer } = asking(source)
    const answers = ask(store('a'), store('b', { record: bytesOf('other') }))
    const talker = await peer()
    const { id, writes, closerCount } = await talker.hear('store')
    talker.say(stored(id, ['stale', 'accepted']))

    expect(closerCount).toBe(5)
    expect(writes).toEqual([
      encodedWrite(bytesOf('a'), bytesOf('a')),
      encodedWrite(bytesOf('b'), bytesOf('other'))
    ])
    expect(told(await answers)).toEqual(['stale', 'accepted'])
  })

  it('keeps one stream for all that it asks (N3)', async () => {
    const { ask, peer, counts } = asking(source)
    const first = ask(find('first'))
    const talker = await peer()

    talker.say(found((await talker.hear('find')).id, ['1']))
    expect(told(await first)).toEqual(['1'])

    for (const name of names(20)) {
      const answer = ask(find(name))
      talker.say(found((await talker.hear('find')).id, [name]))
      expect(told(await answer)).toEqual([name])
    }

    expect(counts).toEqual({ opened: 1, idle: 0 })
  })

  it('asks what differs in messages of their own, in the order of the questions', async () => {
    const { ask, peer } = asking(source)
    const answers = ask(
      find('a'),
      store('b'),
      find('c', { closerCount: 6 }),
      find('d', { closerCount: 6 }),
      find('e', { closerCount: 6, isCloserAlways: true }),
      find('f', { closerCount: 6, isCloserAlways: true, maxAge: 60 })
    )
    const talker = await peer()
    const a = await talker.hear('find')
    const b = await talker.hear('store')
    const cd = await talker.hear('find')
    const e = await talker.hear('find')
    const f = await talker.hear('find')

    expect([a, cd, e, f].map(({ closerCount }) => closerCount)).toEqual([5, 6, 6, 6])
    expect([a, cd, e, f].map(({ maxAge }) => maxAge)).toEqual([0, 0, 0, 60])
    expect([a, cd, e].map(({ isCloserAlways }) => isCloserAlways)).toEqual([false, false, true])
    expect(keysOf(cd.keys)).toEqual(['c', 'd'].map(bytesOf))

    talker.say(found(e.id, ['E']), found(cd.id, ['C', 'D']), stored(b.id, ['accepted']))
    talker.say(found(a.id, ['A']), found(f.id, ['F']))
    expect(told(await answers)).toEqual(['A', 'accepted', 'C', 'D', 'E', 'F'])
  })

  it('asks writes that differ in messages of their own, too', async () => {
    const { ask, peer } = asking(source)
    const answers = ask(
      store('a'),
      store('b', { isCacheOnly: true }),
      store('c', { isCacheOnly: true }),
      store('d', { isCacheOnly: true, closerCount: 0 })
    )
    const talker = await peer()
    const requests = [await talker.hear('store'), await talker.hear('store')]
    requests.push(await talker.hear('store'))

    for (const { id, writes } of requests) {
      talker.say(
        stored(
          id,
          writes.map(() => 'accepted')
        )
      )
    }

    expect(requests.map(({ writes }) => writes.map(({ key }) => textOf(key)))).toEqual([
      ['a'],
      ['b', 'c'],
      ['d']
    ])
    expect(requests.map(({ isCacheOnly }) => isCacheOnly)).toEqual([false, true, true])
    expect(await answers).toHaveLength(4)
  })

  it('gives each question its own answer, whatever the order of the answers (N3)', async () => {
    const { ask, peer } = asking(source)
    const all = names(30)
    const opening = ask(find('opening'))
    const talker = await peer()
    talker.say(found((await talker.hear('find')).id, [null]))
    await opening

    const answers = []
    const ids = new Map<string, number>()

    for (const name of all) {
      answers.push(ask(find(name)))
      const { id, keys } = await talker.hear('find')
      ids.set(textOf(keys[0]?.key), id)
    }

    expect(new Set(ids.values()).size).toBe(all.length)

    for (const name of all.toReversed()) {
      talker.say(found(ids.get(name) ?? -1, [name]))
    }

    expect((await Promise.all(answers)).map(told)).toEqual(all.map((name) => [name]))
  })

  it('asks again for the keys that a FIND left unanswered (N4)', async () => {
    const { ask, peer } = asking(source)
    const answers = ask(...names(5).map((name) => find(name)))
    const talker = await peer()
    const first = await talker.hear('find')
    talker.say(found(first.id, ['0', '1']))
    const second = await talker.hear('find')
    const third = await talker.hear('find')
    talker.say(found(second.id, ['2']), found(third.id, [null]))
    const fourth = await talker.hear('find')
    talker.say(found(fourth.id, ['3']))

    // No more keys go in one message than were answered in the last one.
    expect(keysOf(first.keys)).toEqual(names(5).map(bytesOf))
    expect(keysOf(second.keys)).toEqual(names(5).slice(2, 4).map(bytesOf))
    expect(keysOf(third.keys)).toEqual(names(5).slice(4).map(bytesOf))
    expect(keysOf(fourth.keys)).toEqual(names(5).slice(3, 4).map(bytesOf))
    expect(told(await answers)).toEqual(['0', '1', '2', '3', undefined])
  })

  it('gives the near peers of each answer, without those that are none (N9h)', async () => {
    const { ask, peer } = asking(source)
    const answers = ask(find('a'), find('b'), find('c'))
    const talker = await peer()
    const { id } = await talker.hear('find')
    const [x, y] = [contact(1), contact(2)]
    const nobody = encodedPeer({ id: bytesOf('nobody'), addresses: [bytesOf('nowhere')] })
    const peers = [encodePeer(x), nobody, encodePeer(y)]
    const places = [[2, 0], [2, 1], []]
    talker.say({ name: 'found', id, peers, answers: places.map(nothing) })

    const named = (await answers).map(({ closer }) => closer?.map((one) => one.id.toString()))
    expect(named).toEqual([[y, x], [y], []].map((all) => all.map((one) => one.id.toString())))
  })

  it('takes no peers for known that it did not name (N9b)', async () => {
    const { ask, peer } = asking(source)
    const answers = ask(store('a', { known: 7 }))
    const talker = await peer()
    const asKnown = {
      name: 'stored',
      peers: [],
      answers: [{ outcome: 'accepted', closer: 'known' }]
    }
    talker.say({ ...asKnown, id: (await talker.hear('store')).id } as StoredReply)
    expect((await answers)[0]?.closer).toBeUndefined()

    const refused = expect(ask(store('b'))).rejects.toThrow('that were not known')
    talker.say({ ...asKnown, id: (await talker.hear('store')).id } as StoredReply)
    await refused
  })

  it('puts so many keys into a message, and no more (N4)', async () => {
    const { ask, peer } = asking(source)
    const all = names(2 * MAX_KEYS_PER_MESSAGE + 1)
    const answers = ask(...all.map((name) => find(name)))
    const talker = await peer()
    const requests = [await talker.hear('find'), await talker.hear('find')]
    requests.push(await talker.hear('find'))

    for (const { id, keys } of requests) {
      talker.say(
        found(
          id,
          keys.map(({ key }) => textOf(key))
        )
      )
    }

    expect(requests.map(({ keys }) => keys.length)).toEqual([256, 256, 1])
    expect(told(await answers)).toEqual(all)
  })

  it('fills a message up to its target size, and sends alone what is larger (N9d)', async () => {
    const { ask, peer } = asking(source)
    const parts = [0.4, 0.4, 0.4, 3, 0.4, 0.9]
    const answers = ask(...parts.map((part, i) => store(`key ${i}`, { record: recordOf(part) })))
    const talker = await peer()
    const counts: number[] = []

    for (let asked = 0; asked < parts.length; ) {
      const { id, writes } = await talker.hear('store')
      talker.say(
        stored(
          id,
          writes.map(() => 'accepted')
        )
      )
      counts.push(writes.length)
      asked += writes.length
    }

    expect(counts).toEqual([2, 1, 1, 1, 1])
    expect(told(await answers)).toEqual(parts.map(() => 'accepted'))
    expect(Math.max(...talker.sizes)).toBeLessThan(3.01 * TARGET_MESSAGE_BYTES)
  })
})

describe('questions that come while an answer is due', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  /** Starts a client that waits for one answer in manual time. */
  async function waiting(): Promise<{ talker: Talker; id: number } & ReturnType<typeof asking>> {
    const each = asking(source)
    each.ask(find('first')).catch(() => {})
    const talker = await each.peer()
    const { id } = await talker.hear('find')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    return { ...each, talker, id }
  }

  it('wait for it, and travel together (N4)', async () => {
    const { ask, talker, id } = await waiting()
    const answers = names(3).map((name) => ask(find(name)))
    talker.say(found(id, ['first']))
    const { id: second, keys } = await talker.hear('find')
    talker.say(found(second, names(3)))

    expect(keysOf(keys)).toEqual(names(3).map(bytesOf))
    expect((await Promise.all(answers)).flatMap(told)).toEqual(names(3))
    expect(talker.unheard).toBe(0)
  })

  it('wait no longer than a moment (N4, N8b)', async () => {
    const { ask, talker } = await waiting()
    const answers = names(2).map((name) => ask(find(name)))
    await nextTurn()
    vi.advanceTimersByTime(MAX_BATCH_DELAY_MS)
    const { id, keys } = await talker.hear('find')
    talker.say(found(id, names(2)))

    expect(keysOf(keys)).toEqual(names(2).map(bytesOf))
    expect((await Promise.all(answers)).flatMap(told)).toEqual(names(2))
  })

  it('do not wait when they are many (N4)', async () => {
    const { ask, talker } = await waiting()
    const many = names(BATCH_REQUESTS)
    const answers = ask(...many.map((name) => find(name)))
    const { id, keys } = await talker.hear('find')
    talker.say(found(id, many))

    expect(keysOf(keys)).toEqual(many.map(bytesOf))
    expect(told(await answers)).toEqual(many)
  })
})

/** Resolves in the next turn, when the requests of this one are in flight or queued. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
