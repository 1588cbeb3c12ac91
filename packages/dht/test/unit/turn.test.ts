import type { PeerInfo } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { PeerChoice, type PeerChoiceInit } from '../../src/lookup/peer-choice.ts'
import { contacts } from '../support/numbered-peers.ts'

const [a, b, c, d] = contacts(4) as [PeerInfo, PeerInfo, PeerInfo, PeerInfo]

/** After so many questions of one turn a peer counts as busy. */
const FULL = 32

function turn({
  late = [],
  ready = []
}: {
  late?: PeerInfo[]
  ready?: PeerInfo[]
} = {}): PeerChoice {
  const init: PeerChoiceInit = {
    isReady: (contact) => ready.includes(contact),
    isLate: (contact) => late.includes(contact)
  }
  return new PeerChoice(init)
}

describe('Turn', () => {
  it('chooses nobody when there is nobody', () => {
    expect(turn().choose([])).toBeUndefined()
  })

  it('chooses the nearest when nothing speaks for another', () => {
    expect(turn().choose([a, b, c])).toBe(a)
  })

  it('chooses the nearest of those that can be asked without connecting first', () => {
    expect(turn({ ready: [d, c] }).choose([a, b, c, d])).toBe(c)
  })

  it('chooses the nearest of those that were asked in this turn, ready or not (N4)', () => {
    const one = turn({ ready: [a] })
    one.choose([c])
    one.choose([b])

    expect(one.choose([a, b, c])).toBe(b)
    expect(one.choose([a, c, b])).toBe(c)
  })

  it('knows those whom it chose by their names, whoever speaks of them', () => {
    const one = turn()
    one.choose([{ ...b }])

    expect(one.choose([a, b])).toBe(b)
  })

  it('forgets whom others asked in the turn before', () => {
    turn().choose([b])

    expect(turn().choose([a, b])).toBe(a)
  })

  it(`goes to the next when a peer was asked ${FULL} times in this turn`, () => {
    const one = turn({ ready: [b, c] })

    for (let i = 0; i < FULL; i++) {
      expect(one.choose([b, c])).toBe(b)
    }

    // It is ready for more, as far as the turn is concerned, but another one that is shared is preferred.
    one.choose([c])
    expect(one.choose([b, c])).toBe(c)
  })

  it('counts those questions, too, for which there was no choice', () => {
    const one = turn()

    for (let i = 0; i < FULL; i++) {
      one.choose([b])
    }

    expect(one.choose([b, c])).toBe(b)
    expect(one.choose([a, b])).toBe(a)
  })

  it('chooses late peers only when all are (N8b)', () => {
    const one = turn({ late: [a, b], ready: [a, b] })

    expect(one.choose([a, b, c])).toBe(c)
    expect(one.choose([a, b, d])).toBe(d)
    expect(one.choose([b, a])).toBe(b)
    expect(one.choose([a])).toBe(a)
  })

  it('does not share what is late: rather one more message (N8b)', () => {
    const one = turn({ late: [a] })
    one.choose([a])

    expect(one.choose([a, b])).toBe(b)
  })
})
