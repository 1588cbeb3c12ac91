import type { AbortOptions } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import type { Contact, FindReply } from '../../src/interface.ts'
import {
  type AskPeer,
  type LookupEvent,
  type LookupOptions,
  lookup as lookupWith
} from '../../src/lookup/lookup.ts'
import { Search } from '../../src/lookup/search.ts'
import { contacts, nearestFirst, pointOf } from '../support/numbered-peers.ts'

const target = pointOf(Uint8Array.of(7))
const peers = nearestFirst(target, contacts(8))
const NOTHING: FindReply = { closer: [] }

/** How many peers are asked at once unless a test says otherwise. */
const PARALLELISM = 3

function lookup(
  search: Search,
  ask: AskPeer<FindReply>,
  options: Partial<LookupOptions> = {}
): AsyncGenerator<LookupEvent<FindReply>, void, undefined> {
  return lookupWith(search, ask, { parallelism: PARALLELISM, ...options })
}

function searchFor(count: number, known: readonly Contact[] = peers): Search {
  const search = new Search({ target, count })
  search.add(known)
  return search
}

/** One question that the test answers when it likes. */
interface Question {
  readonly contact: Contact
  readonly signal: AbortSignal
  answer(reply?: FindReply): void
  fail(error: unknown): void
}

/** Peers that answer nothing until they are told to. */
function hesitantPeers(): {
  questions: Question[]
  ask(contact: Contact, options: AbortOptions): Promise<FindReply>
} {
  const questions: Question[] = []

  return {
    questions,
    ask(contact, { signal }) {
      const { promise, resolve, reject } = Promise.withResolvers<FindReply>()
      questions.push({
        contact,
        signal: signal as AbortSignal,
        answer: (reply = NOTHING) => resolve(reply),
        fail: reject
      })
      return promise
    }
  }
}

async function all(
  events: AsyncIterable<LookupEvent<FindReply>>,
  seen: LookupEvent<FindReply>[] = []
): Promise<LookupEvent<FindReply>[]> {
  for await (const event of events) {
    seen.push(event)
  }

  return seen
}

describe('lookup', () => {
  it('asks until the search is done, and tells of each answer', async () => {
    const search = searchFor(3)
    const events = await all(lookup(search, async () => NOTHING))

    expect(events).toEqual(
      peers.slice(0, 3).map((contact) => ({ name: 'answer', contact, answer: NOTHING }))
    )
    expect(search.isDone).toBe(true)
  })

  it('ends at once when there is nobody to ask', async () => {
    expect(await all(lookup(searchFor(5, []), async () => NOTHING))).toEqual([])
  })

  it('asks a few peers at a time, and twice as many after each answer', async () => {
    const { ask, questions } = hesitantPeers()
    const events = lookup(searchFor(8), ask)
    const first = events.next()

    expect(questions).toHaveLength(PARALLELISM)
    questions[1]?.answer()
    await first
    const second = events.next()
    expect(questions).toHaveLength(1 + 2 * PARALLELISM)

    questions[0]?.answer()
    await second
    await events.return()
  })

  it('goes on with the others while one peer is slow (N8)', async () => {
    const { ask, questions } = hesitantPeers()
    const events = lookup(searchFor(8), async (contact, options) =>
      contact === peers[0] ? ask(contact, options) : NOTHING
    )

    for (const contact of peers.slice(1)) {
      expect((await events.next()).value).toMatchObject({ name: 'answer', contact })
    }

    const last = events.next()
    questions[0]?.answer()
    expect((await last).value).toMatchObject({ name: 'answer', contact: peers[0] })
    expect(await events.next()).toMatchObject({ done: true })
  })

  it('asks one peer more when none answers in time (N8)', async () => {
    const { ask, questions } = hesitantPeers()
    const events = lookup(searchFor(8), ask, { parallelism: 1, hedgeMs: 1 })
    const first = events.next()

    expect(questions).toHaveLength(1)
    await expect.poll(() => questions.length).toBeGreaterThan(1)
    questions[1]?.answer()
    expect((await first).value).toMatchObject({ name: 'answer', contact: peers[1] })
    await events.return()
  })

  it('asks the nearer peers that an answer names (N4)', async () => {
    const events = lookup(searchFor(2, peers.slice(4)), async () => ({ closer: peers }))
    const asked = (await all(events)).map(({ contact }) => contact)

    expect(asked).toEqual(expect.arrayContaining(peers.slice(0, 2)))
    expect(asked).not.toContain(peers[6])
  })

  it('tells of a peer that fails, and asks the next nearest instead (N6, N8)', async () => {
    const error = new Error('no answer')
    const search = searchFor(2)
    const events = await all(
      lookup(search, (contact) =>
        contact === peers[0] ? Promise.reject(error) : Promise.resolve(NOTHING)
      )
    )

    expect(events).toContainEqual({ name: 'failure', contact: peers[0], error })
    expect(search.answers()).toEqual(peers.slice(1, 3))
  })

  it('makes an Error of whatever a peer fails with', async () => {
    const [event] = await all(lookup(searchFor(1, peers.slice(0, 1)), () => Promise.reject('no')))

    expect(event).toMatchObject({ error: { message: 'no', cause: 'no' } })
  })

  it('goes on when the search is widened meanwhile (N5)', async () => {
    const search = searchFor(1)
    const asked: Contact[] = []

    for await (const { contact } of lookup(search, async () => NOTHING)) {
      asked.push(contact)
      search.widen(4)
    }

    expect(asked).toEqual(peers.slice(0, 4))
  })

  it('ends the requests that are under way when nobody listens any more', async () => {
    const { ask, questions } = hesitantPeers()
    const events = lookup(searchFor(8), ask)
    const first = events.next()
    questions[0]?.answer()
    await first

    expect(questions.map(({ signal }) => signal.aborted)).toEqual([false, false, false])
    await events.return()
    expect(questions.map(({ signal }) => signal.aborted)).toEqual([true, true, true])
    expect(await events.next()).toMatchObject({ done: true })
  })
})

describe('lookup with a signal', () => {
  const reason = new Error('the caller has had enough')

  it('asks nobody when it is aborted already', async () => {
    const { ask, questions } = hesitantPeers()

    await expect(
      all(lookup(searchFor(3), ask, { signal: AbortSignal.abort(reason) }))
    ).rejects.toBe(reason)
    expect(questions).toEqual([])
  })

  it('ends the requests that are under way when it is aborted (N8)', async () => {
    const { ask, questions } = hesitantPeers()
    const controller = new AbortController()
    const next = lookup(searchFor(8), ask, { signal: controller.signal }).next()

    controller.abort(reason)
    expect(questions.map(({ signal }) => signal.reason)).toEqual([reason, reason, reason])

    for (const { fail, signal } of questions) {
      fail(signal.reason)
    }

    await expect(next).rejects.toBe(reason)
  })

  it('takes no abort for a failure of the peers that were asked (N8)', async () => {
    const { ask, questions } = hesitantPeers()
    const controller = new AbortController()
    const search = searchFor(8)
    const events = lookup(search, ask, { signal: controller.signal })
    const seen: LookupEvent<FindReply>[] = []
    const ended = all(events, seen)

    controller.abort(reason)
    questions[0]?.fail(new Error('broken off'))
    questions[1]?.answer()

    await expect(ended).rejects.toBe(reason)
    expect(seen).toEqual([])

    // The search would want others in the place of peers that failed.
    search.answered(peers[0] as Contact)
    expect(search.answers()).toEqual([peers[0]])
  })

  it('asks nobody any more when it is aborted between two answers', async () => {
    const { ask, questions } = hesitantPeers()
    const controller = new AbortController()
    const events = lookup(searchFor(8), ask, { signal: controller.signal })
    const first = events.next()
    questions[0]?.answer()
    await first

    controller.abort(reason)
    await expect(events.next()).rejects.toBe(reason)
    expect(questions).toHaveLength(PARALLELISM)
  })
})
