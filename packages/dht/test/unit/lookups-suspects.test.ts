import type { PeerInfo } from '@libp2p/interface'
import { describe, expect, it, vi } from 'vitest'
import { FIRST_SUSPECT_MS, MAX_SUSPECT_MS, MIN_SUSPECT_MS } from '../../src/constants.ts'
import type { Search } from '../../src/lookup/search.ts'
import { PeerBook } from '../../src/peers/peer-book.ts'
import { turns } from '../support/end-of-turn.ts'
import { after, useFakeTimers } from '../support/fake-timers.ts'
import {
  type Ask,
  hesitantPeers,
  PARALLELISM,
  peers,
  type Question,
  REQUEST_TIMEOUT_MS,
  rankOf,
  ranksAsked,
  type Scene,
  scene,
  searchFor
} from '../support/hesitant-peers.ts'
import { bookOf } from '../support/verified-peers.ts'

useFakeTimers()

/** Makes peers of which some are frozen. The others answer at once. */
function frozenPeers(...frozen: number[]): ReturnType<typeof hesitantPeers> & {
  wake(): Promise<void>
} {
  const { ask, questions } = hesitantPeers()
  const held: Question[] = []
  return {
    questions,
    ask(contact, cancellation) {
      const answer = ask(contact, cancellation)
      const question = questions.at(-1) as Question
      frozen.includes(rankOf(contact)) ? held.push(question) : question.answer()
      return answer
    },
    async wake() {
      frozen.length = 0

      for (const { answer } of held) {
        answer()
      }

      await turns()
    }
  }
}

/** Runs a lookup. The function returns its duration; undefined while it runs. */
function timed(all: Scene, search: Search, ask: Ask): () => number | undefined {
  const startMs = performance.now()
  let tookMs: number | undefined
  void all.run(search, ask, { parallelism: 5 }).then(() => {
    tookMs = performance.now() - startMs
  })
  return () => tookMs
}

describe('Lookups with a frozen peer', () => {
  it('ask others at once when it is suspected, and wait for it no longer (N8n)', async () => {
    const all = scene({ peers: bookOf(peers) })
    const { ask, questions } = frozenPeers(2)
    const tookMs = timed(all, searchFor(5), ask)
    await after(FIRST_SUSPECT_MS - 1)
    expect(ranksAsked(questions)).toEqual([0, 1, 2, 3, 4])
    expect(tookMs()).toBeUndefined()

    await after(1)
    expect(ranksAsked(questions)).toEqual([0, 1, 2, 3, 4, 5])
    expect(tookMs()).toBe(FIRST_SUSPECT_MS)
  })

  it('ask others at once when its connection ends before it responds (N8n)', async () => {
    const all = scene({ peers: bookOf(peers) })
    const { ask, questions, wake } = frozenPeers(2)
    const tookMs = timed(all, searchFor(5), ask)
    await after(0)
    const { cancellation } = questions.find(({ contact }) => rankOf(contact) === 2) as Question
    cancellation.onRepeat?.()
    await after(0)
    expect(ranksAsked(questions)).toEqual([0, 1, 2, 3, 4, 5])
    expect(tookMs()).toBe(0)

    await wake()
    cancellation.onRepeat?.()
    expect(all.book.suspicionOf(peers[2] as PeerInfo)).toBe('none')
  })

  it('no longer wait for what it was asked before, either, when it is suspected (N8n)', async () => {
    const all = scene({ peers: bookOf(peers) })
    const { ask } = frozenPeers(2)
    timed(all, searchFor(5), ask)
    await after(FIRST_SUSPECT_MS - 100)
    const tookMs = timed(all, searchFor(5), ask)
    await after(99)
    expect(tookMs()).toBeUndefined()
    await after(1)
    expect(tookMs()).toBe(100)
  })

  it('wait for one that others have named until one request times out, and not again (N8n)', async () => {
    const all = scene({ peers: new PeerBook({ maxDialsPerSecond: 1000 }) })
    const { ask } = frozenPeers(2)
    const first = timed(all, searchFor(5), ask)
    await after(REQUEST_TIMEOUT_MS - 100)
    const second = timed(all, searchFor(5), ask)
    await after(99)
    expect([first(), second()]).toEqual([undefined, undefined])
    await after(1)
    expect([first(), second()]).toEqual([REQUEST_TIMEOUT_MS, 100])

    await after(10 * REQUEST_TIMEOUT_MS)
    const third = timed(all, searchFor(5), ask)
    await after(0)
    expect(third()).toBe(0)
  })

  it('do not wait for it again until it answers, and ask it all the same (N8n)', async () => {
    const all = scene({ peers: bookOf(peers) })
    const { ask, questions, wake } = frozenPeers(2)
    timed(all, searchFor(5), ask)
    await after(FIRST_SUSPECT_MS)
    questions.length = 0
    const second = timed(all, searchFor(5), ask)
    await after(0)
    expect(second()).toBe(0)
    expect(ranksAsked(questions).toSorted()).toEqual([0, 1, 2, 3, 4, 5])

    await wake()
    questions.length = 0
    const third = timed(all, searchFor(5), ask)
    await after(0)
    expect(third()).toBe(0)
    expect(ranksAsked(questions)).toEqual([0, 1, 2, 3, 4])
  })

  describe('that answers something', () => {
    const isFrozen = ({ id }: PeerInfo): boolean => id.equals((peers[2] as PeerInfo).id)

    /** Freezes a peer amid two lookups, of which it then answers one. The other peers answer the second one. */
    async function thaw() {
      let movedMs = 0
      const progressMs = (contact: PeerInfo): number =>
        isFrozen(contact) ? movedMs : performance.now()
      const all = scene({ peers: bookOf(peers), progressMs })
      const [first, second] = [hesitantPeers(), hesitantPeers()]
      const tookMs = timed(all, searchFor(5), second.ask)
      timed(all, searchFor(5), first.ask)
      await after(FIRST_SUSPECT_MS)
      expect(ranksAsked(second.questions)).toEqual([0, 1, 2, 3, 4, 5])
      movedMs = performance.now()
      first.questions.find(({ contact }) => isFrozen(contact))?.answer()
      await after(0)

      for (const { contact, answer } of second.questions) {
        isFrozen(contact) || answer()
      }

      await after(0)
      return { tookMs, question: second.questions.find(({ contact }) => isFrozen(contact)) }
    }

    it('wait again for all that it was asked (N8n)', async () => {
      const { question, tookMs } = await thaw()
      expect(tookMs()).toBeUndefined()
      question?.answer()
      await after(0)
      expect(tookMs()).toBe(FIRST_SUSPECT_MS)
    })

    it('suspect it again if it then makes no progress (N8n)', async () => {
      const { tookMs } = await thaw()
      await after(MAX_SUSPECT_MS)
      expect(tookMs()).toBeLessThanOrEqual(FIRST_SUSPECT_MS + MAX_SUSPECT_MS)
    })
  })

  it('suspect it by its own response times (N8n)', async () => {
    const all = scene({ peers: bookOf(peers) })
    const { ask, questions } = frozenPeers()
    // 20 responses that took no time.
    for (let i = 0; i < 20; i++) {
      timed(all, searchFor(5), ask)
      await after(0)
    }

    questions.length = 0
    const frozen = frozenPeers(2)
    const tookMs = timed(all, searchFor(5), frozen.ask)
    await after(MIN_SUSPECT_MS)
    expect(tookMs()).toBe(MIN_SUSPECT_MS)
  })

  it('suspect it later when it is asked for bulk (N8n)', async () => {
    const all = scene({ peers: bookOf(peers) })
    const { ask } = frozenPeers(2)
    const cancellation = { isCancelled: false, isBulk: true }
    let isOver = false
    void all.run(searchFor(5), ask, { parallelism: 5, cancellation }).then(() => {
      isOver = true
    })
    await after(MAX_SUSPECT_MS - 1)
    expect(isOver).toBe(false)
    await after(1)
    expect(isOver).toBe(true)
  })

  it('suspect it later while anybody is asked for bulk, which may fill the line (N12)', async () => {
    const isFrozen = (contact: PeerInfo): boolean => rankOf(contact) === 2
    const progressMs = (contact: PeerInfo): number => (isFrozen(contact) ? 0 : performance.now())
    const all = scene({ peers: bookOf(peers), progressMs })
    const bulk = hesitantPeers()
    const cancellation = { isCancelled: false, isBulk: true }
    void all.run(searchFor(1, peers.slice(0, 1)), bulk.ask, { cancellation })
    await after(0)
    const tookMs = timed(all, searchFor(5), frozenPeers(2).ask)
    await after(MAX_SUSPECT_MS - 1)
    expect(tookMs()).toBeUndefined()
    await after(1)
    expect(tookMs()).toBe(MAX_SUSPECT_MS)

    bulk.questions[0]?.answer()
    await after(0)
    all.book.recordResponse((peers[2] as PeerInfo).id)
    const again = timed(all, searchFor(5), frozenPeers(2).ask)
    await after(FIRST_SUSPECT_MS)
    expect(again()).toBe(FIRST_SUSPECT_MS)
  })

  it('wait for suspects unless more others have answered (N8n)', async () => {
    const all = scene({ peers: bookOf(peers) })
    const known = peers.slice(0, 4)
    const { ask } = frozenPeers(0, 1)
    const tookMs = timed(all, searchFor(5, known), ask)
    await after(FIRST_SUSPECT_MS)
    expect(tookMs()).toBeUndefined()
    await after(REQUEST_TIMEOUT_MS - FIRST_SUSPECT_MS)
    expect(tookMs()).toBe(REQUEST_TIMEOUT_MS)
  })

  it('wait for those that were silent before no longer than for a late answer (N8n)', async () => {
    const all = scene({ peers: bookOf(peers) })
    const known = peers.slice(0, 4)
    const { ask } = frozenPeers(0, 1)
    timed(all, searchFor(5, known), ask)
    await after(REQUEST_TIMEOUT_MS)
    const tookMs = timed(all, searchFor(5, known), ask)
    await after(FIRST_SUSPECT_MS)
    expect(tookMs()).toBe(FIRST_SUSPECT_MS)
  })

  it('wait when nobody else is left, however often it was silent (N8n)', async () => {
    const all = scene({ peers: bookOf(peers) })
    const { ask } = frozenPeers(0)

    for (let i = 0; i < 2; i++) {
      const tookMs = timed(all, searchFor(5, peers.slice(0, 1)), ask)
      await after(REQUEST_TIMEOUT_MS - 1)
      expect(tookMs()).toBeUndefined()
      await after(1)
      expect(tookMs()).toBe(REQUEST_TIMEOUT_MS)
    }
  })

  it('count one failure for all that was requested before it (N8c)', async () => {
    const all = scene({ peers: bookOf(peers) })
    const { ask } = frozenPeers(0)
    const failures = vi.spyOn(all.book, 'recordFailure')

    for (let i = 0; i < 10; i++) {
      timed(all, searchFor(PARALLELISM), ask)
      await after(1)
    }

    await after(REQUEST_TIMEOUT_MS)
    expect(failures.mock.calls.length).toBeGreaterThanOrEqual(10)
    expect(all.book.records.get(peers[0]?.id as never)?.failures).toBe(1)
  })
})

describe('Lookups with a peer that makes progress', () => {
  it('give it all the time that it needs (N12)', async () => {
    let progressMs = 0
    const all = scene({ progressMs: () => progressMs })
    const { ask } = frozenPeers(0)
    const tookMs = timed(all, searchFor(1, peers.slice(0, 1)), ask)

    for (let i = 0; i < 20; i++) {
      await after(REQUEST_TIMEOUT_MS - 1)
      progressMs = performance.now()
    }

    await after(REQUEST_TIMEOUT_MS - 1)
    expect(tookMs()).toBeUndefined()
    await after(1)
    expect(tookMs()).toBeGreaterThan(20 * (REQUEST_TIMEOUT_MS - 1))
  })

  it('do not suspect it (N12)', async () => {
    let progressMs = 0
    const all = scene({ progressMs: () => progressMs })
    const { ask, questions } = frozenPeers(0)
    timed(all, searchFor(5), ask)

    for (let i = 0; i < 20; i++) {
      await after(FIRST_SUSPECT_MS - 1)
      progressMs = performance.now()
    }

    expect(ranksAsked(questions)).toEqual([0, 1, 2, 3, 4])
  })

  it('gives requests outside of lookups the same time (N12)', async () => {
    let progressMs = 0
    const { lookups } = scene({ progressMs: () => progressMs })
    const asked = lookups.inTime(peers[0] as (typeof peers)[0], new Promise(() => {}))
    const rejected = expect(asked).rejects.toMatchObject({ name: 'TimeoutError' })
    await after(REQUEST_TIMEOUT_MS - 1)
    progressMs = performance.now()
    await after(REQUEST_TIMEOUT_MS - 1)
    expect(vi.getTimerCount()).toBe(1)
    await after(1)
    await rejected
    expect(vi.getTimerCount()).toBe(0)
  })
})
