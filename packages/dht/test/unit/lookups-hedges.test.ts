import type { PeerInfo } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { MAX_SUSPECT_MS } from '../../src/constants.ts'
import { FIRST_BULK_HEDGES } from '../../src/lookup/bulk-hedges.ts'
import { after, useFakeTimers } from '../support/fake-timers.ts'
import {
  type Ask,
  hesitantPeers,
  peers,
  type Question,
  REQUEST_TIMEOUT_MS,
  rankOf,
  scene,
  searchFor
} from '../support/hesitant-peers.ts'
import { bookOf } from '../support/verified-peers.ts'

useFakeTimers()

/** Many keys, read in bulk from a few peers, one of which may answer at once. The others do when a test says so. */
function readMany(count: number, numPeers: number, answering?: number) {
  const all = scene({ peers: bookOf(peers) })
  const { ask: askHesitant, questions } = hesitantPeers()
  const ask: Ask = (contact, token) => {
    const answer = askHesitant(contact, token)
    rankOf(contact) === answering && questions.at(-1)?.answer()
    return answer
  }
  const cancellation = { isCancelled: false, isBulk: true }
  let done = 0

  for (let i = 0; i < count; i++) {
    const search = searchFor(numPeers, peers.slice(0, numPeers))
    const take = (_: PeerInfo, answer?: unknown): boolean => answer !== undefined
    const options = { parallelism: 1, isHedged: true, cancellation, take }
    void all.run(search, ask, options).then(() => {
      done++
    })
  }

  const askedOf = (rank: number): Question[] =>
    questions.filter(({ contact }) => rankOf(contact) === rank)
  return { askedOf, questions, done: () => done }
}

describe('Lookups of bulk, a peer of which is silent', () => {
  it('ask the next one for a few keys, and for more with each response (N12)', async () => {
    const { askedOf, done } = readMany(200, 1 + 1)
    await after(0)
    const [silent, other] = askedOf(0).length > 0 ? [0, 1] : [1, 0]
    const inTurn = askedOf(other).length
    expect(askedOf(silent).length + inTurn).toBe(200)

    for (const { answer } of askedOf(other)) {
      answer()
    }

    await after(MAX_SUSPECT_MS)
    expect(askedOf(other)).toHaveLength(inTurn + FIRST_BULK_HEDGES)

    for (let asked = 0; asked < askedOf(other).length; ) {
      const next = askedOf(other)[asked++]
      next?.answer()
      await after(0)
    }

    expect(done()).toBe(200)
  })

  it('ask yet others when those are silent, too (N8n)', async () => {
    for (const answering of [0, 1, 2]) {
      const { done } = readMany(200, 3, answering)
      await after(REQUEST_TIMEOUT_MS - 1)
      expect(done()).toBe(200)
    }
  })

  it('ask one that is trusted rather than another suspect (N8n)', async () => {
    const book = bookOf(peers)
    const [, suspect] = peers as [PeerInfo, PeerInfo]
    book.recordFailure(suspect)
    const all = scene({ peers: book })
    const { ask, questions } = hesitantPeers()
    const cancellation = { isCancelled: false, isBulk: true }
    const options = { parallelism: 1, isHedged: true, cancellation }
    void all.run(searchFor(3, peers.slice(0, 3)), ask, options)
    await after(MAX_SUSPECT_MS)

    expect(questions.map(({ contact }) => rankOf(contact))).toEqual([0, 2])
  })

  it('ask one suspect at a time until it has had a request timeout, and then all (N12)', async () => {
    const { askedOf, done, questions } = readMany(100, 3)
    await after(REQUEST_TIMEOUT_MS - 1)
    expect(questions.length).toBeLessThanOrEqual(100 + 2 * FIRST_BULK_HEDGES)

    await after(1 + MAX_SUSPECT_MS)
    expect([0, 1, 2].map((rank) => askedOf(rank).length)).toEqual([100, 100, 100])
    // So a network of any size that is out of reach takes as long as one peer.
    await after(REQUEST_TIMEOUT_MS)
    expect(done()).toBe(100)
  })
})
