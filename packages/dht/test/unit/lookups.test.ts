import { AbortError } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HEDGE_MS } from '../../src/constants.ts'
import type { Contact, Wanted } from '../../src/interface.ts'
import { Avoidance } from '../../src/lookup/avoidance.ts'
import { type Answer, type Lookup, Lookups, type LookupsInit } from '../../src/lookup/lookups.ts'
import { Search } from '../../src/lookup/search.ts'
import { turns } from '../support/end-of-turn.ts'
import { contacts, nearestFirst, pointOf } from '../support/numbered-peers.ts'
import { UNWANTED, WANTED } from '../support/wanted.ts'

const target = pointOf(Uint8Array.of(7))
const peers = nearestFirst(target, contacts(40))
const NOTHING: Answer = { closer: [] }
const REQUEST_TIMEOUT_MS = 3000

/** How many peers are asked at once unless a test says otherwise. */
const PARALLELISM = 3

type Ask = Lookup<Answer>['ask']

/** One question that the test answers when it likes. */
interface Question {
  readonly contact: Contact
  readonly request: Wanted
  answer(answer?: Answer): void
  fail(error: unknown): void
}

/** Peers that answer nothing until they are told to. */
function hesitantPeers(): { questions: Question[]; ask: Ask } {
  const questions: Question[] = []

  return {
    questions,
    ask(contact, request) {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>()
      questions.push({
        contact,
        request,
        answer: (answer = NOTHING) => resolve(answer),
        fail: reject
      })
      return promise
    }
  }
}

function searchFor(count: number, known: readonly Contact[] = peers): Search {
  const search = new Search({ target, count })
  search.add(known)
  return search
}

interface Scene {
  readonly avoidance: Avoidance
  readonly lookups: Lookups

  /** Who was told of, and whether they answered, in order. */
  readonly taken: [rank: number, hasAnswered: boolean][]

  /** Runs a lookup that takes in whatever comes. */
  run(search: Search, ask: Ask, differences?: Partial<Lookup<Answer>>): Promise<void>
}

function scene(init: Partial<LookupsInit> = {}): Scene {
  const avoidance = new Avoidance(() => 0)
  const taken: Scene['taken'] = []
  const lookups = new Lookups({
    avoidance,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    isReady: () => true,
    ...init
  })

  return {
    avoidance,
    lookups,
    taken,
    run: (search, ask, differences = {}) =>
      lookups.run({
        search,
        ask,
        wanted: WANTED,
        parallelism: PARALLELISM,
        isHedged: false,
        take: (contact, answer) => {
          taken.push([rankOf(contact), answer !== undefined])
          return false
        },
        ...differences
      })
  }
}

function rankOf({ id }: Contact): number {
  return peers.findIndex((peer) => peer.id.equals(id))
}

function ranksAsked(questions: readonly Question[]): number[] {
  return questions.map(({ contact }) => rankOf(contact))
}

/** Which of the peers are avoided now. */
function avoidedRanks({ avoidance }: Scene): number[] {
  return [...peers.keys()].filter((rank) => avoidance.has((peers[rank] as Contact).id))
}

/** Whether a promise has been settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending')
  return (await Promise.race([promise.catch(() => {}), Promise.resolve(pending)])) !== pending
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('Lookups.run', () => {
  it('asks until the search is done, and tells of each answer', async () => {
    const { run, taken } = scene()
    const search = searchFor(3)
    await run(search, async () => NOTHING)

    expect(taken).toEqual([
      [0, true],
      [1, true],
      [2, true]
    ])
    expect(search.isDone).toBe(true)
  })

  it('tells of an answer after the search has taken it in', async () => {
    const { run } = scene()
    const search = searchFor(1, peers.slice(1, 2))
    const done: boolean[] = []
    await run(search, async (contact) => ({ closer: contact === peers[1] ? peers : [] }), {
      take: () => {
        done.push(search.isDone)
        return false
      }
    })

    expect(done).toEqual([false, true])
  })

  it('ends at once when there is nobody to ask', async () => {
    const { run, taken } = scene()
    await run(searchFor(5, []), async () => NOTHING)

    expect(taken).toEqual([])
  })

  it('ends as soon as an answer is enough, and waits for no other (N5)', async () => {
    const { run } = scene()
    const { ask, questions } = hesitantPeers()
    const running = run(searchFor(8), ask, { take: (contact) => contact === peers[1] })
    await turns()
    questions[0]?.answer()
    questions[1]?.answer()
    await running

    expect(questions).toHaveLength(PARALLELISM)
    expect(questions[2]?.request.isWanted).toBe(false)
  })

  it('asks a few peers at a time, and twice as many after each answer', async () => {
    const { run } = scene()
    const { ask, questions } = hesitantPeers()
    run(searchFor(30), ask)
    await turns()
    expect(questions).toHaveLength(PARALLELISM)

    questions[1]?.answer()
    await turns(2)
    expect(questions).toHaveLength(1 + 2 * PARALLELISM)
    questions[0]?.answer()
    await turns(2)
    expect(questions).toHaveLength(2 + 4 * PARALLELISM)
  })

  it('asks as many as before when a peer fails', async () => {
    const { run } = scene()
    const { ask, questions } = hesitantPeers()
    run(searchFor(30), ask)
    await turns()
    questions[1]?.fail(new Error('no answer'))
    await turns(2)

    expect(questions).toHaveLength(1 + PARALLELISM)
  })

  it('goes on with the others while one peer is slow (N8)', async () => {
    const { run, taken } = scene()
    const { ask, questions } = hesitantPeers()
    const running = run(searchFor(8), (contact, request) =>
      contact === peers[0] ? ask(contact, request) : Promise.resolve(NOTHING)
    )
    await turns(10)
    expect(taken.map(([rank]) => rank)).toEqual([1, 2, 3, 4, 5, 6, 7])

    questions[0]?.answer()
    await running
    expect(taken.at(-1)).toEqual([0, true])
  })

  it('asks the nearer peers that an answer names (N4)', async () => {
    const { run, taken } = scene()
    await run(searchFor(2, peers.slice(4, 8)), async () => ({ closer: peers }))
    const asked = taken.map(([rank]) => rank)

    expect(asked).toEqual(expect.arrayContaining([0, 1]))
    expect(asked).not.toContain(6)
  })

  it('tells of a peer that fails, and asks the next nearest instead (N6, N8)', async () => {
    const all = scene()
    const search = searchFor(2)
    await all.run(search, (contact) =>
      contact === peers[0] ? Promise.reject(new Error('no answer')) : Promise.resolve(NOTHING)
    )

    expect(all.taken).toContainEqual([0, false])
    expect(search.answers()).toEqual(peers.slice(1, 3))
    expect(avoidedRanks(all)).toEqual([0])
  })

  it('avoids a peer whatever it fails with (N8)', async () => {
    const all = scene()
    await all.run(searchFor(1, peers.slice(0, 1)), () => Promise.reject('no'))

    expect(avoidedRanks(all)).toEqual([0])
  })

  it('avoids a peer no longer that answers (N8)', async () => {
    const all = scene()
    all.avoidance.failed((peers[0] as Contact).id)
    await all.run(searchFor(1), async () => NOTHING)

    expect(avoidedRanks(all)).toEqual([])
  })

  it('goes on when the search is widened meanwhile (N5)', async () => {
    const { run } = scene()
    const search = searchFor(1)
    const asked: Contact[] = []
    await run(search, async () => NOTHING, {
      take: (contact) => {
        asked.push(contact)
        search.widen(4)
        return false
      }
    })

    expect(asked).toEqual(peers.slice(0, 4))
  })
})

describe('Lookups with a peer that is slow', () => {
  const hedged = { parallelism: 1, isHedged: true }

  it('ask one more for each that takes longer than the hedging delay (N8)', async () => {
    const { run, taken } = scene()
    const { ask, questions } = hesitantPeers()
    const running = run(searchFor(8), ask, { ...hedged, take: () => true })
    await turns()
    await vi.advanceTimersByTimeAsync(HEDGE_MS - 1)
    await turns()
    expect(ranksAsked(questions)).toEqual([0])

    await vi.advanceTimersByTimeAsync(1)
    await turns()
    expect(ranksAsked(questions)).toEqual([0, 1])
    await vi.advanceTimersByTimeAsync(HEDGE_MS)
    await turns()
    expect(ranksAsked(questions)).toEqual([0, 1, 2])

    questions[2]?.answer()
    await running
    expect(questions.map(({ request }) => request.isWanted)).toEqual([false, false, false])
    expect(taken).toEqual([])
  })

  it('ask nobody more where that is not wanted', async () => {
    const { run } = scene()
    const { ask, questions } = hesitantPeers()
    run(searchFor(8), ask, { parallelism: 1, isHedged: false })
    await turns()
    await vi.advanceTimersByTimeAsync(10 * HEDGE_MS)
    await turns()

    expect(questions).toHaveLength(1)
  })

  it('ask others first while there are any, until it answers (N8)', async () => {
    const { run } = scene()
    const { ask, questions } = hesitantPeers()
    const asking = (): Promise<void> => run(searchFor(3), ask, { ...hedged, take: () => true })
    const first = asking()
    await turns()
    await vi.advanceTimersByTimeAsync(HEDGE_MS)
    await turns()
    questions[1]?.answer()
    await first

    const second = asking()
    await turns()
    questions.at(-1)?.answer()
    await second
    expect(ranksAsked(questions)).toEqual([0, 1, 1])

    // It was not too late to be heard of, if for nobody any more.
    questions[0]?.answer()
    await turns(2)
    asking()
    await turns()
    expect(ranksAsked(questions)).toEqual([0, 1, 1, 0])
  })

  it('ask it all the same when no other is left (N8)', async () => {
    const { run } = scene()
    const { ask, questions } = hesitantPeers()
    run(searchFor(1, peers.slice(0, 1)), ask, hedged)
    await turns()
    await vi.advanceTimersByTimeAsync(HEDGE_MS)
    run(searchFor(1, peers.slice(0, 1)), ask, hedged)
    await turns()

    expect(ranksAsked(questions)).toEqual([0, 0])
  })

  it('do not take it for failed (N8)', async () => {
    const all = scene()
    const { ask } = hesitantPeers()
    all.run(searchFor(8), ask, hedged)
    await turns()
    await vi.advanceTimersByTimeAsync(5 * HEDGE_MS)

    expect(avoidedRanks(all)).toEqual([])
    expect(all.taken).toEqual([])
  })
})

describe('Lookups with a peer that does not answer in time', () => {
  it('take it for failed, and ask the next nearest instead (N6, N8)', async () => {
    const all = scene()
    const { ask, questions } = hesitantPeers()
    all.run(searchFor(2), ask)
    await turns()
    questions[1]?.answer()
    await vi.advanceTimersByTimeAsync(REQUEST_TIMEOUT_MS - 1)
    expect(all.taken).toEqual([[1, true]])

    await vi.advanceTimersByTimeAsync(1)
    await turns()
    expect(all.taken).toEqual([
      [1, true],
      [0, false]
    ])
    expect(avoidedRanks(all)).toEqual([0])
    expect(ranksAsked(questions)).toEqual([0, 1, 2])
    expect(questions.map(({ request }) => request.isWanted)).toEqual([false, false, true])
  })

  it('give each request its own time (N8)', async () => {
    const all = scene()
    const { ask } = hesitantPeers()
    all.run(searchFor(1, peers.slice(0, 1)), ask)
    await turns()
    await vi.advanceTimersByTimeAsync(1000)
    all.run(searchFor(1, peers.slice(1, 2)), ask)
    await turns()

    await vi.advanceTimersByTimeAsync(REQUEST_TIMEOUT_MS - 1000)
    expect(avoidedRanks(all)).toEqual([0])
    await vi.advanceTimersByTimeAsync(1000)
    expect(avoidedRanks(all)).toEqual([0, 1])
  })

  it('take it for failed, too, when its lookup has ended before (N8)', async () => {
    const all = scene()
    const { ask, questions } = hesitantPeers()
    const running = all.run(searchFor(8), ask, { take: () => true })
    await turns()
    questions[1]?.answer()
    questions[2]?.answer()
    await running
    expect(avoidedRanks(all)).toEqual([])

    await vi.advanceTimersByTimeAsync(REQUEST_TIMEOUT_MS)
    expect(avoidedRanks(all)).toEqual([0])
  })

  it('do not take it for failed that answers after its lookup has ended, but in time (N8)', async () => {
    const all = scene()
    const { ask, questions } = hesitantPeers()
    const running = all.run(searchFor(8), ask, { take: () => true })
    await turns()
    questions[1]?.answer()
    await running
    questions[0]?.answer()
    questions[2]?.answer()
    await vi.advanceTimersByTimeAsync(REQUEST_TIMEOUT_MS)

    expect(avoidedRanks(all)).toEqual([])
  })

  it('tell nobody of an answer that comes too late', async () => {
    const all = scene()
    const { ask, questions } = hesitantPeers()
    const running = all.run(searchFor(1, peers.slice(0, 1)), ask)
    await turns()
    await vi.advanceTimersByTimeAsync(REQUEST_TIMEOUT_MS)
    questions[0]?.answer({ closer: peers })
    await running

    expect(all.taken).toEqual([[0, false]])
    expect(questions).toHaveLength(1)
  })

  it('need one timer for all, and none when nothing is under way', async () => {
    const all = scene()
    const { ask, questions } = hesitantPeers()
    const running = Array.from({ length: 100 }, () =>
      all.run(searchFor(3, peers.slice(0, 3)), ask, { isHedged: true })
    )
    await turns()
    // One for the timeouts, one for the hedges.
    expect(vi.getTimerCount()).toBe(2)

    for (const { answer } of questions) {
      answer()
    }

    await Promise.all(running)
    await vi.advanceTimersByTimeAsync(REQUEST_TIMEOUT_MS)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('leave no timer when they are closed', async () => {
    const all = scene()
    const { ask } = hesitantPeers()
    all.run(searchFor(3), ask, { isHedged: true })
    await turns()
    all.lookups.close()

    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a lookup that is no longer wanted', () => {
  it('asks nobody when it was not wanted from the start (N8)', async () => {
    const { run } = scene()
    const { ask, questions } = hesitantPeers()
    await run(searchFor(3), ask, { wanted: UNWANTED })

    expect(questions).toEqual([])
  })

  it('asks nobody any more, and ends with the next answer (N8)', async () => {
    const all = scene()
    const { ask, questions } = hesitantPeers()
    const wanted = { isWanted: true }
    const running = all.run(searchFor(8), ask, { wanted })
    await turns()
    expect(questions.map(({ request }) => request.isWanted)).toEqual([true, true, true])

    wanted.isWanted = false
    expect(questions.map(({ request }) => request.isWanted)).toEqual([false, false, false])
    questions[0]?.answer({ closer: peers })
    await running
    expect(questions).toHaveLength(PARALLELISM)
    expect(all.taken).toEqual([])
  })

  it('ends with the request timeout at the latest (N8)', async () => {
    const all = scene()
    const { ask } = hesitantPeers()
    const wanted = { isWanted: true }
    const running = all.run(searchFor(8), ask, { wanted })
    await turns()
    wanted.isWanted = false
    await vi.advanceTimersByTimeAsync(REQUEST_TIMEOUT_MS)
    await running

    expect(all.taken).toEqual([])
  })

  it('takes nobody for failed whose question was not even sent (N8)', async () => {
    const all = scene()
    const { ask, questions } = hesitantPeers()
    const wanted = { isWanted: true }
    const running = all.run(searchFor(8), ask, { wanted })
    await turns()
    wanted.isWanted = false

    for (const { fail } of questions) {
      fail(new AbortError('nobody wants the answer any more'))
    }

    await running
    await vi.advanceTimersByTimeAsync(REQUEST_TIMEOUT_MS)
    expect(avoidedRanks(all)).toEqual([])
  })

  it('does not end others that ask the same peers', async () => {
    const all = scene()
    const { ask, questions } = hesitantPeers()
    const wanted = { isWanted: true }
    const left = all.run(searchFor(2, peers.slice(0, 2)), ask, { wanted })
    const kept = all.run(searchFor(2, peers.slice(0, 2)), ask)
    await turns()
    wanted.isWanted = false

    for (const { answer } of questions) {
      answer()
    }

    await Promise.all([left, kept])
    expect(all.taken).toEqual([
      [0, true],
      [1, true]
    ])
  })
})

describe('a lookup in which something goes wrong', () => {
  const fault = new Error('a fault of ours')

  function failing(how: 'take' | 'ask' | 'choices'): Partial<Lookup<Answer>> {
    const fail = (): never => {
      throw fault
    }
    const search = searchFor(3)
    return how === 'choices'
      ? { search: Object.assign(search, { choices: fail }) }
      : { [how]: fail }
  }

  it.each(['take', 'ask', 'choices'] as const)(
    'in its %s, rejects, and hurts no other of the same turn',
    async (how) => {
      const { run, taken } = scene()
      const good = async (): Promise<Answer> => NOTHING
      const before = run(searchFor(2), good)
      const bad = run(searchFor(3), good, failing(how))
      const after = run(searchFor(2), good)

      await expect(bad).rejects.toBe(fault)
      await Promise.all([before, after])
      expect(taken).toHaveLength(4)
    }
  )

  it('asks nobody any more', async () => {
    const { run } = scene()
    const { ask, questions } = hesitantPeers()
    const bad = run(searchFor(8), ask, failing('take'))
    await turns()
    questions[0]?.answer()
    await expect(bad).rejects.toBe(fault)
    questions[1]?.answer()
    await turns(3)

    expect(questions).toHaveLength(PARALLELISM)
    expect(questions[2]?.request.isWanted).toBe(false)
  })
})

describe('lookups of one turn', () => {
  /** Whom each of so many lookups for different keys asks first, all begun in the same turn. */
  async function firstAsked(count: number, init: Partial<LookupsInit> = {}): Promise<number[]> {
    const { run } = scene(init)
    const { ask, questions } = hesitantPeers()

    for (let i = 0; i < count; i++) {
      const search = new Search({ target: pointOf(Uint8Array.of(i)), count: 5 })
      search.add(peers.slice(0, 10))
      run(search, ask, { parallelism: 1 })
    }

    await turns()
    expect(questions).toHaveLength(count)
    return ranksAsked(questions)
  }

  it('share few peers, so that their questions travel in few messages (N4)', async () => {
    const asked = await firstAsked(30)

    // Each key has five of ten peers to choose from.
    expect(new Set(asked).size).toBeLessThanOrEqual(3)
  })

  it('do not all burden one peer when they are many', async () => {
    const asked = await firstAsked(200)
    const most = Math.max(...asked.map((rank) => asked.filter((other) => other === rank).length))

    expect(new Set(asked).size).toBeGreaterThan(3)
    expect(most).toBeLessThan(100)
  })

  it('prefer peers that need not be connected to first', async () => {
    const asked = await firstAsked(30, { isReady: (contact) => rankOf(contact) % 2 === 0 })
    const [first] = asked

    expect((first ?? 1) % 2).toBe(0)
  })

  it('wait for the end of it, so that those that are begun by what is answered join (N4)', async () => {
    const { run } = scene()
    const { ask, questions } = hesitantPeers()
    run(searchFor(1), ask)
    expect(questions).toEqual([])
    await Promise.resolve()
    run(searchFor(1), ask)
    expect(questions).toEqual([])

    await turns()
    expect(ranksAsked(questions)).toEqual([0, 0])
  })

  it('are not held up by one that waits for its answers', async () => {
    const { run } = scene()
    const { ask } = hesitantPeers()
    const slow = run(searchFor(3), ask)
    const others = Array.from({ length: 10 }, () => run(searchFor(3), async () => NOTHING))

    await Promise.all(others)
    expect(await isSettled(slow)).toBe(false)
  })
})
