import { AbortError, type PeerId } from '@libp2p/interface'
import { describe, expect, it, vi } from 'vitest'
import { FIRST_SUSPECT_MS, HEDGE_MS, MAX_LOOKUPS_IN_FLIGHT } from '../../src/constants.ts'
import { CANCELLED } from '../support/cancellation.ts'
import { collectGarbage } from '../support/collect-garbage.ts'
import { turns } from '../support/end-of-turn.ts'
import { after, useFakeTimers } from '../support/fake-timers.ts'
import {
  avoidedRanks,
  hesitantPeers,
  PARALLELISM,
  peers,
  REQUEST_TIMEOUT_MS,
  ranksAsked,
  type Scene,
  scene,
  searchFor
} from '../support/hesitant-peers.ts'
import { contactOf, peerNumber } from '../support/numbered-peers.ts'

useFakeTimers()

describe('Lookups with a peer that is slow', () => {
  const hedged = { parallelism: 1, isHedged: true }

  it('ask one more for each that takes longer than the hedging delay (N8b)', async () => {
    const { run, taken } = scene()
    const { ask, questions } = hesitantPeers()
    const running = run(searchFor(8), ask, { ...hedged, take: () => true })
    await after(HEDGE_MS - 1)
    expect(ranksAsked(questions)).toEqual([0])

    await after(1)
    expect(ranksAsked(questions)).toEqual([0, 1])
    await after(HEDGE_MS)
    expect(ranksAsked(questions)).toEqual([0, 1, 2])

    questions[2]?.answer()
    await running
    expect(questions.map(({ cancellation }) => cancellation.isCancelled)).toEqual([
      true,
      true,
      true
    ])
    expect(taken).toEqual([])
  })

  it('ask nobody more where that is not wanted', async () => {
    const { run } = scene()
    const { ask, questions } = hesitantPeers()
    void run(searchFor(8), ask, { parallelism: 1, isHedged: false })
    await after(FIRST_SUSPECT_MS - 1)

    expect(questions).toHaveLength(1)
  })

  it('ask others first while there are any, until it answers (N8b)', async () => {
    const { run } = scene()
    const { ask, questions } = hesitantPeers()
    const asking = (): Promise<unknown> => run(searchFor(3), ask, { ...hedged, take: () => true })
    const first = asking()
    await after(HEDGE_MS)
    questions[1]?.answer()
    await first

    const second = asking()
    await turns()
    questions.at(-1)?.answer()
    await second
    expect(ranksAsked(questions)).toEqual([0, 1, 1])

    // The late response clears the failure, although no lookup needs it any more.
    questions[0]?.answer()
    await turns(2)
    void asking()
    await turns()
    expect(ranksAsked(questions)).toEqual([0, 1, 1, 0])
  })

  it('ask it all the same when no other is left (N8b)', async () => {
    const { run } = scene()
    const { ask, questions } = hesitantPeers()
    void run(searchFor(1, peers.slice(0, 1)), ask, hedged)
    await after(HEDGE_MS)
    void run(searchFor(1, peers.slice(0, 1)), ask, hedged)
    await turns()

    expect(ranksAsked(questions)).toEqual([0, 0])
  })

  it('do not take it for failed (N8b)', async () => {
    const all = scene()
    const { ask } = hesitantPeers()
    void all.run(searchFor(8), ask, hedged)
    await after(5 * HEDGE_MS)

    expect(avoidedRanks(all)).toEqual([])
    expect(all.taken).toEqual([])
  })
})

describe('Lookups with very many peers that never answer', () => {
  const batchSize = 12_000
  const ids: WeakRef<PeerId>[] = []

  /** Asks this many unknown peers, which are late, and gives them up. */
  async function askStrangers(all: Scene, batch: number): Promise<void> {
    const { ask } = hesitantPeers()
    const running = Array.from({ length: batchSize }, (_, n) => {
      const stranger = contactOf(peerNumber(1000 + batch * batchSize + n))
      ids.push(new WeakRef(stranger.id))
      return all.run(searchFor(1, [stranger]), ask, { parallelism: 1, isHedged: true })
    })

    // The number in flight is limited.
    for (let begun = 0; begun < batchSize; begun += MAX_LOOKUPS_IN_FLIGHT / 2) {
      await after(REQUEST_TIMEOUT_MS)
    }

    await Promise.all(running)
    all.taken.length = 0
  }

  /** Counts the peers of which anything is kept, ids included. */
  function remembered(): number {
    collectGarbage()
    return ids.filter((id) => id.deref() !== undefined).length
  }

  it('do not remember all of them (N9d)', async () => {
    const all = scene()

    for (let batch = 0; batch < 3; batch++) {
      await askStrangers(all, batch)
    }

    expect(all.book.records.size).toBeLessThan(batchSize)
    expect(remembered()).toBeLessThan(batchSize)
  })
})

describe('Lookups with a peer that does not answer in time', () => {
  it('take it for failed, and ask the next nearest instead (N6, N8b)', async () => {
    const all = scene()
    const { ask, questions } = hesitantPeers()
    void all.run(searchFor(2, peers.slice(0, 3)), ask)
    await turns()
    questions[1]?.answer()
    await vi.advanceTimersByTimeAsync(REQUEST_TIMEOUT_MS - 1)
    expect(all.taken).toEqual([[1, true]])

    await after(1)
    expect(all.taken).toEqual([
      [1, true],
      [0, false]
    ])
    expect(avoidedRanks(all)).toEqual([0])
    expect(ranksAsked(questions)).toEqual([0, 1, 2])
    expect(questions.map(({ cancellation }) => cancellation.isCancelled)).toEqual([
      true,
      true,
      false
    ])
  })

  it('give each request its own time (N8b)', async () => {
    const all = scene()
    const { ask } = hesitantPeers()
    void all.run(searchFor(1, peers.slice(0, 1)), ask)
    await after(1000)
    void all.run(searchFor(1, peers.slice(1, 2)), ask)
    await turns()

    await vi.advanceTimersByTimeAsync(REQUEST_TIMEOUT_MS - 1000)
    expect(avoidedRanks(all)).toEqual([0])
    await vi.advanceTimersByTimeAsync(1000)
    expect(avoidedRanks(all)).toEqual([0, 1])
  })

  it('take it for failed, too, when its lookup has ended before (N8c)', async () => {
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

  it('do not take it for failed that answers after its lookup has ended, but in time (N8c)', async () => {
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
    await after(REQUEST_TIMEOUT_MS)
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
    expect(vi.getTimerCount()).toBe(1)

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
    void all.run(searchFor(3), ask, { isHedged: true })
    await turns()
    all.lookups.close()

    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a lookup that is no longer wanted', () => {
  it('asks nobody when it was not wanted from the start (N8a)', async () => {
    const { run } = scene()
    const { ask, questions } = hesitantPeers()
    await run(searchFor(3), ask, { cancellation: CANCELLED })

    expect(questions).toEqual([])
  })

  it('asks nobody any more, and ends with the next answer (N8a)', async () => {
    const all = scene()
    const { ask, questions } = hesitantPeers()
    const cancellation = { isCancelled: false }
    const running = all.run(searchFor(8), ask, { cancellation })
    await turns()
    expect(questions.map(({ cancellation }) => cancellation.isCancelled)).toEqual([
      false,
      false,
      false
    ])

    cancellation.isCancelled = true
    expect(questions.map(({ cancellation }) => cancellation.isCancelled)).toEqual([
      true,
      true,
      true
    ])
    questions[0]?.answer({ closer: peers })
    await running
    expect(questions).toHaveLength(PARALLELISM)
    expect(all.taken).toEqual([])
  })

  it('ends with the request timeout at the latest (N8a)', async () => {
    const all = scene()
    const { ask } = hesitantPeers()
    const cancellation = { isCancelled: false }
    const running = all.run(searchFor(8), ask, { cancellation })
    await turns()
    cancellation.isCancelled = true
    await vi.advanceTimersByTimeAsync(REQUEST_TIMEOUT_MS)
    await running

    expect(all.taken).toEqual([])
  })

  it('takes nobody for failed whose question was not even sent (N8c)', async () => {
    const all = scene()
    const { ask, questions } = hesitantPeers()
    const cancellation = { isCancelled: false }
    const running = all.run(searchFor(8), ask, { cancellation })
    await turns()
    cancellation.isCancelled = true

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
    const cancellation = { isCancelled: false }
    const left = all.run(searchFor(2, peers.slice(0, 2)), ask, { cancellation })
    const kept = all.run(searchFor(2, peers.slice(0, 2)), ask)
    await turns()
    cancellation.isCancelled = true

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
