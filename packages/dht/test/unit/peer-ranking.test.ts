import type { PeerInfo } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { PeerRanking } from '../../src/lookup/peer-ranking.ts'
import { contacts } from '../support/numbered-peers.ts'
import { bookOf } from '../support/verified-peers.ts'

const [a, b, c, d] = contacts(4) as [PeerInfo, PeerInfo, PeerInfo, PeerInfo]

/** Requests in one turn that make a peer busy. */
const FULL = 64

interface State {
  readonly banned?: readonly PeerInfo[]
  readonly failed?: readonly PeerInfo[]
  readonly late?: readonly PeerInfo[]
  readonly ready?: readonly PeerInfo[]
}

function ranking({ banned = [], failed = [], late = [], ready = [] }: State = {}): PeerRanking {
  const peers = bookOf(contacts(4), { nowMs: () => 0 })
  banned.forEach(({ id }) => {
    peers.ban(id, new Error('it violated the protocol'))
  })
  failed.forEach((contact) => {
    peers.recordFailure(contact)
  })
  late.forEach(({ id }) => {
    peers.recordDelay(id)
  })
  return new PeerRanking({ peers, isReady: (contact) => ready.includes(contact) })
}

describe('PeerRanking.rankOf', () => {
  it('is first, last for peers that are avoided, never for banned ones (N8c, N9c)', () => {
    const one = ranking({ failed: [b, c], banned: [c, d], late: [a] })

    expect([a, b, c, d].map((contact) => one.rankOf(contact))).toEqual([
      'first',
      'last',
      'never',
      'never'
    ])
  })
})

describe('PeerRanking.choose', () => {
  it('chooses nobody when there is nobody', () => {
    expect(ranking().choose([])).toBeUndefined()
  })

  it('chooses the nearest when nothing speaks for another', () => {
    expect(ranking().choose([a, b, c])).toBe(a)
  })

  it('chooses the nearest of those that can be asked without connecting first', () => {
    expect(ranking({ ready: [d, c] }).choose([a, b, c, d])).toBe(c)
  })

  it('chooses the nearest of those that were asked in this turn, ready or not (N4)', () => {
    const one = ranking({ ready: [a] })
    one.choose([c])
    one.choose([b])

    expect(one.choose([a, b, c])).toBe(b)
    expect(one.choose([a, c, b])).toBe(c)
  })

  it('knows chosen peers by their names, in any object', () => {
    const one = ranking()
    one.choose([{ ...b }])

    expect(one.choose([a, b])).toBe(b)
  })

  it('chooses a peer that suits more lookups of the turn, if it is ready and not late (N4)', () => {
    const one = ranking({ late: [d], ready: [a, b, d] })
    one.beginTurn([
      [a, b, c, d],
      [b, c, d],
      [a, c, d]
    ])

    expect(one.choose([a, b, c, d])).toBe(a)
    expect(one.choose([b, c, d])).toBe(b)
    expect(one.choose([a, c, d])).toBe(a)
  })

  it('forgets the peers that others asked in the turn before', () => {
    const one = ranking()
    one.choose([b])
    expect(one.choose([a, b])).toBe(b)

    one.beginTurn()
    expect(one.choose([a, b])).toBe(a)
  })

  it(`goes to the next when a peer was asked ${FULL} times in this turn`, () => {
    const one = ranking({ ready: [b, c] })

    for (let i = 0; i < FULL; i++) {
      expect(one.choose([b, c])).toBe(b)
    }

    // It is ready for more, as far as the turn is concerned, but another one that is shared is preferred.
    one.choose([c])
    expect(one.choose([b, c])).toBe(c)
  })

  it('counts those questions, too, for which there was no choice', () => {
    const one = ranking()

    for (let i = 0; i < FULL; i++) {
      one.choose([b])
    }

    expect(one.choose([b, c])).toBe(b)
    expect(one.choose([a, b])).toBe(a)
  })

  it('chooses late peers only when all are (N8b)', () => {
    const one = ranking({ late: [a, b], ready: [a, b] })

    expect(one.choose([a, b, c])).toBe(c)
    expect(one.choose([a, b, d])).toBe(d)
    expect(one.choose([b, a])).toBe(b)
    expect(one.choose([a])).toBe(a)
  })

  it('does not share what is late: rather one more message (N8b)', () => {
    const one = ranking({ late: [a] })
    one.choose([a])

    expect(one.choose([a, b])).toBe(b)
  })
})
