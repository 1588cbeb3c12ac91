import { describe, expect, it } from 'vitest'
import { turns } from '../support/end-of-turn.ts'
import { after, useFakeTimers } from '../support/fake-timers.ts'
import {
  hesitantPeers,
  peers,
  type Question,
  REQUEST_TIMEOUT_MS,
  ranksAsked,
  scene,
  searchFor
} from '../support/hesitant-peers.ts'

useFakeTimers()

/** Runs a lookup among few peers, which asks those that failed once more, and ends with the first response. */
function lookupAmong(count: number, { isReady = true } = {}) {
  const all = scene({ isReady: () => isReady })
  const { ask, questions } = hesitantPeers()
  const search = searchFor(1, peers.slice(0, count))
  const outcomes: boolean[] = []
  const running = all.run(search, ask, {
    parallelism: 1,
    take: (_, answer) => {
      outcomes.push(answer !== undefined)
      answer === undefined && count === 1 && outcomes.length === 1 && search.retry()
      return answer !== undefined
    }
  })
  return { questions, outcomes, running }
}

describe('a response that comes after the request has timed out', () => {
  it('answers the next request to the peer, which is not sent (N12)', async () => {
    const { questions, outcomes, running } = lookupAmong(1)
    await after(REQUEST_TIMEOUT_MS)
    await after(0)
    expect(outcomes).toEqual([false])

    questions[0]?.answer()
    await running
    expect(outcomes).toEqual([false, true])
    expect(questions).toHaveLength(1)
  })

  it('is not waited for again when the stream has ended, or none is open (N8d)', async () => {
    const { questions, outcomes, running } = lookupAmong(1)
    await after(REQUEST_TIMEOUT_MS)
    await after(0)
    questions[0]?.fail(new Error('reset'))
    await turns(3)
    expect(ranksAsked(questions)).toEqual([0, 0])
    questions[1]?.answer()
    await running
    expect(outcomes).toEqual([false, true])

    const other = lookupAmong(1, { isReady: false })
    await after(REQUEST_TIMEOUT_MS)
    await after(0)
    expect(ranksAsked(other.questions)).toEqual([0, 0])
  })

  it('counts while another peer is asked (N12)', async () => {
    const { questions, outcomes, running } = lookupAmong(2)
    await after(REQUEST_TIMEOUT_MS)
    await after(0)
    expect(ranksAsked(questions)).toEqual([0, 1])

    const [first] = questions as [Question]
    first.answer()
    await running
    expect(outcomes).toEqual([false, true])
  })
})
