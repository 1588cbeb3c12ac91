import type { PeerInfo } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { MAX_LOOKUPS_IN_FLIGHT } from '../../src/constants.ts'
import type { Lookup, LookupResponse } from '../../src/lookup/lookup.ts'
import type { LookupsInit } from '../../src/lookup/lookups.ts'
import { Search } from '../../src/lookup/search.ts'
import { PeerBook } from '../../src/peers/peer-book.ts'
import { turns } from '../support/end-of-turn.ts'
import {
  avoidedRanks,
  hesitantPeers,
  NOTHING,
  PARALLELISM,
  peers,
  rankOf,
  ranksAsked,
  scene,
  searchFor
} from '../support/hesitant-peers.ts'
import { pointOf } from '../support/numbered-peers.ts'

/** Returns the same peer at another address. */
function elsewhere({ id }: PeerInfo): PeerInfo {
  return { id, multiaddrs: [multiaddr('/ip4/10.0.0.1/tcp/1')] }
}

/** Whether a promise has been settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending')
  return (await Promise.race([promise.catch(() => {}), Promise.resolve(pending)])) !== pending
}

describe('Lookups.run', () => {
  it('learns nothing from peers that confirm what this node knows (N4)', async () => {
    const asked = async (areCloserKnown: boolean): Promise<number[]> => {
      const ranks: number[] = []
      await scene().run(searchFor(3, peers.slice(2, 5)), async (contact) => {
        ranks.push(rankOf(contact))
        return { closer: peers.slice(0, 2), areCloserKnown }
      })
      return ranks.toSorted()
    }

    expect(await asked(false)).toEqual([0, 1, 2, 3, 4])
    expect(await asked(true)).toEqual([2, 3, 4])
  })

  it('tells when no lookup is under way, or that one still is', async () => {
    const { lookups, run } = scene()
    await lookups.idle(60_000)
    const response = Promise.withResolvers<LookupResponse>()
    const running = [
      run(searchFor(3), () => response.promise),
      run(searchFor(3), async () => NOTHING)
    ]
    const idle = lookups.idle(60_000)
    await lookups.idle(5)
    await running[1]
    expect(await isSettled(idle)).toBe(false)

    response.resolve(NOTHING)
    await idle
    await Promise.all(running)
  })

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
    expect(questions[2]?.cancellation.isCancelled).toBe(true)
  })

  it('asks a few peers at a time for as long as answers name nearer ones', async () => {
    const { run } = scene()
    const { ask, questions } = hesitantPeers()
    void run(searchFor(30, peers.slice(2)), ask)
    await turns()
    expect(questions).toHaveLength(PARALLELISM)

    questions[1]?.answer({ closer: peers.slice(1, 2) })
    await turns(2)
    expect(questions).toHaveLength(1 + PARALLELISM)
    questions[0]?.answer({ closer: peers.slice(0, 1) })
    await turns(2)
    expect(questions).toHaveLength(2 + PARALLELISM)
  })

  it('asks all remaining peers when an answer names none that is nearer', async () => {
    const { run } = scene()
    const { ask, questions } = hesitantPeers()
    void run(searchFor(30), ask)
    await turns()
    questions[1]?.answer({ closer: peers.slice(10) })
    await turns(2)

    expect(questions).toHaveLength(30)
  })

  it('asks as many as before when a peer fails', async () => {
    const { run } = scene()
    const { ask, questions } = hesitantPeers()
    void run(searchFor(30), ask)
    await turns()
    questions[1]?.fail(new Error('no answer'))
    await turns(2)

    expect(questions).toHaveLength(1 + PARALLELISM)
  })

  it('goes on with the others while one peer is slow (N8b)', async () => {
    const { run, taken } = scene()
    const { ask, questions } = hesitantPeers()
    const running = run(searchFor(8), (contact, cancellation) =>
      contact === peers[0] ? ask(contact, cancellation) : Promise.resolve(NOTHING)
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

  it('tells of a peer that fails, and asks the next nearest instead (N6, N8b)', async () => {
    const all = scene()
    const search = searchFor(2)
    await all.run(search, (contact) =>
      contact === peers[0] ? Promise.reject(new Error('no answer')) : Promise.resolve(NOTHING)
    )

    expect(all.taken).toContainEqual([0, false])
    expect(search.answers()).toEqual(peers.slice(1, 3))
    expect(avoidedRanks(all)).toEqual([0])
  })

  it('avoids a peer whatever it fails with (N8c)', async () => {
    const all = scene()
    await all.run(searchFor(1, peers.slice(0, 1)), () => Promise.reject('no'))

    expect(avoidedRanks(all)).toEqual([0])
  })

  it('avoids nobody for what others say of it (N9h)', async () => {
    const all = scene({ peers: new PeerBook({ nowMs: () => 0 }) })
    await all.run(searchFor(1), () => Promise.reject(new Error('nobody is there')))
    const isAvoided = (one: PeerInfo): boolean => all.book.isAvoided(one)

    expect(peers.every(isAvoided)).toBe(true)
    expect(peers.map(elsewhere).some(isAvoided)).toBe(false)
  })

  it('has others wait beyond so many lookups, and none for ever', async () => {
    const all = scene()
    const { ask, questions } = hesitantPeers()
    const count = 2 * MAX_LOOKUPS_IN_FLIGHT
    const running = Array.from({ length: count }, () => all.run(searchFor(1), ask))
    await turns()
    expect(questions).toHaveLength(MAX_LOOKUPS_IN_FLIGHT)

    for (let answered = 0; answered < count; await turns()) {
      for (const question of questions.slice(answered)) {
        question.answer()
        answered++
      }
    }

    await Promise.all(running)
  })

  it('avoids a peer no longer that answers (N8c)', async () => {
    const all = scene()
    all.book.recordFailure(peers[0] as PeerInfo)
    await all.run(searchFor(1), async () => NOTHING)

    expect(avoidedRanks(all)).toEqual([])
  })

  it('goes on when the search is widened meanwhile (N5)', async () => {
    const { run } = scene()
    const search = searchFor(1)
    const asked: PeerInfo[] = []
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

describe('a lookup in which something goes wrong', () => {
  const fault = new Error('a fault of ours')

  function failing(how: 'take' | 'ask' | 'choices'): Partial<Lookup<LookupResponse>> {
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
      const good = async (): Promise<LookupResponse> => NOTHING
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
    expect(questions[2]?.cancellation.isCancelled).toBe(true)
  })
})

describe('lookups of one turn', () => {
  /**
   * Lists the first peer asked by each of several lookups for different keys that begin in one turn.
   */
  async function firstAsked(count: number, init: Partial<LookupsInit> = {}): Promise<number[]> {
    const { run } = scene(init)
    const { ask, questions } = hesitantPeers()

    for (let i = 0; i < count; i++) {
      const search = new Search({ target: pointOf(Uint8Array.of(i)), count: 5 })
      search.add(peers.slice(0, 10))
      void run(search, ask, { parallelism: 1 })
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
    void run(searchFor(1), ask)
    expect(questions).toEqual([])
    await Promise.resolve()
    void run(searchFor(1), ask)
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
