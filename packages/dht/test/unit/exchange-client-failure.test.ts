import { describe, expect, it } from 'vitest'
import { MAX_PLAUSIBLE_MESSAGE_BYTES } from '../../src/wire/limits.ts'
import {
  type Asking,
  asking,
  bytesOf,
  clientOf,
  find,
  found,
  store,
  stored,
  told
} from '../support/exchange-asking.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { encoded, frameOf, headOf, Talker } from '../support/exchange-talker.ts'
import { keysOf } from '../support/find-answers.ts'

const source = useStreamSource()

/** Violations by a peer that was asked two FINDs (of two keys and one) and a STORE. */
const OFFENCES: readonly [what: string, offend: (talker: Talker, ids: Ids) => void][] = [
  ['an answer to a request that nobody made', (talker) => talker.say(found(4_000_000, [null]))],
  [
    'an answer to a request that was answered before',
    (talker, { two }) => talker.say(found(two, ['A', 'B']), found(two, ['A', 'B']))
  ],
  ['more answers than keys', (talker, { two }) => talker.say(found(two, ['A', 'B', 'C']))],
  ['no answer to a FIND', (talker, { two }) => talker.say(found(two, []))],
  ['outcomes for a FIND', (talker, { one }) => talker.say(stored(one, ['accepted']))],
  ['a record for a STORE', (talker, { write }) => talker.say(found(write, ['W']))],
  ['too few outcomes', (talker, { write }) => talker.say(stored(write, []))],
  ['too many outcomes', (talker, { write }) => talker.say(stored(write, ['stale', 'stale']))],
  [
    'a question',
    (talker, { one: id }) =>
      talker.say({ name: 'find', id, closerCount: 0, isCloserAlways: false, maxAge: 0, keys: [] })
  ],
  [
    'a write',
    (talker, { write: id }) =>
      talker.say({ name: 'store', id, closerCount: 0, isCacheOnly: false, writes: [] })
  ],
  ['what is no message', (talker) => talker.sayBytes(frameOf(Uint8Array.of(9, 9, 9)))],
  [
    'a message with a byte too many',
    (talker, { one }) =>
      talker.sayBytes(frameOf(Buffer.concat([encoded(found(one, ['A'])), Uint8Array.of(0)])))
  ],
  ['an empty message', (talker) => talker.sayBytes(headOf(0))],
  [
    'the head of an oversized message',
    (talker) => talker.sayBytes(headOf(MAX_PLAUSIBLE_MESSAGE_BYTES + 1))
  ],
  [
    'text',
    (talker) => talker.sayBytes(new TextEncoder().encode('HTTP/1.1 400 Bad Request\r\n\r\n'))
  ]
]

interface Ids {
  readonly two: number
  readonly one: number
  readonly write: number
}

interface UnderWay extends Asking {
  readonly talker: Talker
  readonly ids: Ids
  readonly outcomes: Promise<PromiseSettledResult<unknown>[]>
}

/** Sends two FINDs, of two keys and one, and a STORE, all of which stay unanswered. */
async function underWay(): Promise<UnderWay> {
  const all = asking(source)
  const outcomes = Promise.allSettled(
    [find('a'), find('b'), find('c', { closerCount: 6 }), store('w')].map((question) =>
      all.client.ask(question)
    )
  )
  const talker = await all.peer()
  const ids = {
    two: (await talker.hear('find')).id,
    one: (await talker.hear('find')).id,
    write: (await talker.hear('store')).id
  }

  return { ...all, talker, ids, outcomes }
}

function failuresOf(outcomes: readonly PromiseSettledResult<unknown>[]): Error[] {
  return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
}

/** Expects that the next request opens another stream, and is answered there. */
async function expectAnotherStream({ ask, peer, counts }: Asking): Promise<void> {
  const answer = ask(find('next'))
  const talker = await peer()
  talker.say(found((await talker.hear('find')).id, ['works']))

  expect(told(await answer)).toEqual(['works'])
  expect(counts).toEqual({ opened: 2, idle: 1 })
}

describe('a peer that says what it must not', () => {
  it.each(OFFENCES)(
    '%s, loses its stream and what is under way, and nothing else (N9c)',
    async (_, offend) => {
      const { talker, ids, outcomes, ...rest } = await underWay()
      offend(talker, ids)
      const failures = failuresOf(await outcomes)

      expect(failures.length).toBeGreaterThanOrEqual(2)

      for (const { name } of failures) {
        expect(name).toBe('ProtocolViolationError')
      }

      expect(await talker.ended).toMatchObject({ name: 'StreamResetError' })
      await expectAnotherStream(rest)
    }
  )
})

describe('a stream that ends', () => {
  const ends: readonly [how: string, end: (talker: Talker) => unknown][] = [
    ['by a reset', ({ stream }) => stream.abort(new Error('reset'))],
    ['by a close of the other side', ({ stream }) => stream.close()],
    [
      'in the middle of a message',
      (talker) => {
        talker.sayBytes(headOf(1000))
        talker.stream.abort(new Error('reset'))
      }
    ]
  ]

  /** Receives all requests of the first stream again, on another one. */
  async function heardAgain(peer: UnderWay['peer']): Promise<Talker> {
    const talker = await peer()
    const { id: two } = await talker.hear('find')
    const { id: one } = await talker.hear('find')
    const { id: write } = await talker.hear('store')
    talker.say(found(two, ['A', 'B']), found(one, ['C']), stored(write, ['accepted']))
    return talker
  }

  it.each(ends)('%s has what is in flight repeated on another one (N8d)', async (_, end) => {
    const { talker, outcomes, peer } = await underWay()
    end(talker)
    await heardAgain(peer)

    expect(failuresOf(await outcomes)).toEqual([])
  })

  it('after half a message has it repeated, too (N8d)', async () => {
    const { talker, ids, outcomes, peer } = await underWay()
    const frame = frameOf(encoded(found(ids.two, ['A', 'B'])))
    talker.sayBytes(frame.subarray(0, frame.length - 1))
    await talker.stream.close()
    await heardAgain(peer)

    expect(failuresOf(await outcomes)).toEqual([])
  })

  it('again and again fails what is in flight, after the second repetition (N8d)', async () => {
    const { talker, outcomes, peer } = await underWay()
    talker.stream.abort(new Error('reset'))

    for (let repetition = 0; repetition < 2; repetition++) {
      const again = await peer()
      await again.hear('find')
      again.stream.abort(new Error('reset'))
    }

    expect(failuresOf(await outcomes)).toHaveLength(4)
  })
})

describe('a peer to which no stream can be opened', () => {
  it('fails all that wait with the reason, and is tried again by the next question (N8d)', async () => {
    const reasons = [new Error('first'), new Error('second')]
    let opened = 0
    const client = clientOf(() => Promise.reject(reasons[opened++]))
    const outcomes = await Promise.allSettled([client.ask(find('a')), client.ask(store('b'))])

    expect(failuresOf(outcomes)).toEqual([reasons[0], reasons[0]])
    await expect(client.ask(find('c'))).rejects.toBe(reasons[1])
    expect(opened).toBe(2)
  })

  it('is told of nothing that was given up meanwhile, once it can be reached (N8a)', async () => {
    const opening = Promise.withResolvers<void>()
    const [mine, theirs] = await source.open()
    const talker = new Talker(theirs)
    const client = clientOf(async () => {
      await opening.promise
      return mine
    })
    const leaving = { isCancelled: false }
    const left = Promise.allSettled([
      client.ask(find('a'), leaving),
      client.ask(store('b'), leaving)
    ])
    const kept = client.ask(find('c'))
    await Promise.resolve()
    leaving.isCancelled = true
    opening.resolve()
    const { id, keys } = await talker.hear('find')
    talker.say(found(id, ['C']))

    expect(failuresOf(await left).map(({ name }) => name)).toEqual(['AbortError', 'AbortError'])
    expect(keysOf(keys)).toEqual([bytesOf('c')])
    expect(told([await kept])).toEqual(['C'])
    expect(talker.unheard).toBe(0)
  })
})

describe('close', () => {
  it('ends the stream, and what is under way or waiting rejects with its reason', async () => {
    const { client, talker, outcomes, counts } = await underWay()
    const waiting = client.ask(find('waiting'))
    client.close()

    expect(failuresOf(await outcomes).map(({ message }) => message)).toEqual(
      new Array(4).fill('the node was stopped')
    )
    await expect(waiting).rejects.toThrow('the node was stopped')
    expect(await talker.ended).toMatchObject({ name: 'StreamResetError' })
    expect(counts.idle).toBeGreaterThan(0)
  })

  it('ends a stream, too, that is only being opened', async () => {
    const opening = Promise.withResolvers<void>()
    const [mine, theirs] = await source.open()
    const client = clientOf(async () => {
      await opening.promise
      return mine
    })
    const asked = client.ask(find('a'))
    await Promise.resolve()
    client.close()
    await expect(asked).rejects.toThrow('the node was stopped')

    const ended = new Promise((resolve) => theirs.addEventListener('close', resolve))
    opening.resolve()
    await ended
    expect(mine.status).toBe('aborted')
  })
})
