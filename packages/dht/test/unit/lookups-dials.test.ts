import type { PeerInfo } from '@libp2p/interface'
import { describe, expect, it, vi } from 'vitest'
import type { LookupsInit } from '../../src/lookup/lookups.ts'
import { turns } from '../support/end-of-turn.ts'
import {
  hesitantPeers,
  PARALLELISM,
  peers,
  rankOf,
  ranksAsked,
  scene,
  searchFor
} from '../support/hesitant-peers.ts'

/** Treats only the second and the third peer as connected. */
const isSecondOrThird: LookupsInit['isReady'] = (contact) => [1, 2].includes(rankOf(contact))

describe('Lookups.run, with peers that have to be dialled', () => {
  it('asks connected peers for the ones that they know before it dials any (N10e)', async () => {
    const { run } = scene({ isReady: isSecondOrThird })
    const { ask, questions } = hesitantPeers()
    void run(searchFor(5, peers.slice(1)), ask)
    await turns(2)
    expect(ranksAsked(questions)).toEqual([1, 2])

    questions[0]?.answer({ closer: peers.slice(0, 1) })
    await turns(2)
    expect(ranksAsked(questions)).toEqual([1, 2, 0, 3])
  })

  it('dials when connected peers fail, or take longer than most (N8b)', async () => {
    const { run } = scene({ isReady: isSecondOrThird })
    const failing = hesitantPeers()
    void run(searchFor(5), failing.ask)
    await turns()
    failing.questions[1]?.fail(new Error('no answer'))
    await turns(2)
    expect(ranksAsked(failing.questions).slice(0, 3)).toEqual([1, 2, 0])

    const silent = hesitantPeers()
    void run(searchFor(5), silent.ask)
    await expect.poll(() => ranksAsked(silent.questions)).toContain(0)
  })

  it('dials one peer first when none of the nearest is connected (N10e)', async () => {
    const { run } = scene({ isReady: () => false })
    const { ask, questions } = hesitantPeers()
    void run(searchFor(5, peers.slice(2)), ask)
    await turns(2)
    expect(ranksAsked(questions)).toEqual([2])

    questions[0]?.answer({ closer: peers.slice(0, 2) })
    await turns(2)
    expect(ranksAsked(questions)).toEqual([2, 0, 1, 3])
  })

  it('dials others when that peer fails, or takes longer than most (N8b)', async () => {
    const { run } = scene({ isReady: () => false })
    const failing = hesitantPeers()
    void run(searchFor(5), failing.ask)
    await turns(2)
    failing.questions[0]?.fail(new Error('no answer'))
    await turns(2)
    expect(ranksAsked(failing.questions)).toEqual([0, 1, 2, 3])

    const silent = hesitantPeers()
    void run(searchFor(5), silent.ask)
    await expect.poll(() => silent.questions.length).toBeGreaterThanOrEqual(PARALLELISM)
  })

  it('dials all at once when a response has named no nearer ones, until one does', async () => {
    const { run } = scene({ isReady: () => false })
    const asked = async (isInformed: boolean): Promise<number> => {
      const { ask, questions } = hesitantPeers()
      void run(searchFor(5, peers.slice(2)), ask)
      await turns(2)
      const { length } = questions
      questions[0]?.answer({ closer: isInformed ? peers.slice(2, 4) : peers.slice(0, 2) })
      await turns(2)
      return length
    }

    expect(await asked(false)).toBe(1)
    expect(await asked(true)).toBe(1)
    expect(await asked(true)).toBe(PARALLELISM)
    expect(await asked(false)).toBe(PARALLELISM)
    expect(await asked(false)).toBe(1)
  })

  it('dials one after the other until a neighbour of the target has named the nearest ones (N10e)', async () => {
    const { run } = scene({ isReady: isSecondOrThird })
    const { ask, questions } = hesitantPeers()
    const isNeighbour = (contact: PeerInfo): boolean => rankOf(contact) < 10
    void run(searchFor(5, peers.slice(30), isNeighbour), ask)
    const named = async (at: number, ...ranks: readonly number[]): Promise<number[]> => {
      questions[at]?.answer({ closer: ranks.map((rank) => peers[rank] as PeerInfo) })
      await turns(2)
      return ranksAsked(questions)
    }
    await turns(2)
    expect(ranksAsked(questions)).toEqual([30])
    expect(await named(0, 20, 21, 22, 23, 24)).toEqual([30, 20])
    // A connected peer costs no dial.
    expect(await named(1, 2, 12, 13, 14, 15)).toEqual([30, 20, 2])
    expect(await named(2, 0, 1, 3, 4)).toEqual([30, 20, 2, 1, 0, 3])
  })

  it('dials one as soon as a connected peer has responded, however slow the others are', async () => {
    const { run } = scene({ isReady: isSecondOrThird })
    const { ask, questions } = hesitantPeers()
    void run(
      searchFor(5, peers.slice(1, 8), () => false),
      ask
    )
    await turns(2)
    expect(ranksAsked(questions)).toEqual([1, 2])
    questions[1]?.answer({ closer: peers.slice(0, 1) })
    await turns(2)

    expect(ranksAsked(questions)).toEqual([1, 2, 0])
  })

  it('dials all after three that named nearer ones, which liars could go on with', async () => {
    const { run } = scene({ isReady: () => false })
    const { ask, questions } = hesitantPeers()
    void run(
      searchFor(5, peers.slice(10), () => false),
      ask
    )

    for (const [at, nearer] of [9, 8, 7].entries()) {
      await turns(2)
      expect(questions).toHaveLength(at + 1)
      questions[at]?.answer({ closer: [peers[nearer] as PeerInfo] })
    }

    await turns(2)
    expect(ranksAsked(questions)).toEqual([10, 9, 8, 7, 11])
  })

  it('dials all when one fails or takes long, however far the others are (N8b)', async () => {
    const far = { isReady: () => false }
    const isNeighbour = (): boolean => false
    const failing = hesitantPeers()
    void scene(far).run(searchFor(5, peers, isNeighbour), failing.ask)
    await turns(2)
    failing.questions[0]?.fail(new Error('no answer'))
    await turns(2)
    expect(failing.questions.length).toBeGreaterThanOrEqual(PARALLELISM)

    const silent = hesitantPeers()
    void scene(far).run(searchFor(5, peers, isNeighbour), silent.ask)
    await expect.poll(() => silent.questions.length).toBeGreaterThanOrEqual(PARALLELISM)
  })

  it('dials further peers for bulk, too, when one takes a second', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })

    try {
      const { run } = scene({ isReady: () => false })
      const { ask, questions } = hesitantPeers()
      const cancellation = { isCancelled: false, isBulk: true }
      void run(
        searchFor(5, peers, () => false),
        ask,
        { cancellation }
      )
      await turns(2)
      expect(questions).toHaveLength(1)
      await vi.advanceTimersByTimeAsync(1_001)
      await turns(2)
      expect(questions.length).toBeGreaterThanOrEqual(PARALLELISM)
    } finally {
      vi.useRealTimers()
    }
  })

  it('dials at once when this node is one of the nearest', async () => {
    const near = hesitantPeers()
    const search = searchFor(5)
    search.recordResponse(peers[0] as PeerInfo)
    void scene({ isReady: isSecondOrThird }).run(search, near.ask)
    await turns()
    expect(near.questions).toHaveLength(PARALLELISM)
  })
})
