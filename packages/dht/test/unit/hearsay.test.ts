import { describe, expect, it } from 'vitest'
import { ReferralReputation } from '../../src/peers/referrals.ts'
import { contact } from '../support/exchange-serving.ts'
import { peerNumber } from '../support/numbered-peers.ts'

const LIAR = peerNumber(1)
const HONEST = peerNumber(2)

describe('Hearsay', () => {
  it('doubts whom a peer names once those that it named were often not there (N9h)', () => {
    const hearsay = new ReferralReputation()
    const strangers = Array.from({ length: 20 }, (_, n) => contact(100 + n))

    for (const stranger of strangers) {
      hearsay.named(stranger, LIAR)
    }

    for (const stranger of strangers.slice(0, 7)) {
      hearsay.tried(stranger, false)
    }

    expect(hearsay.isDoubtful(strangers[10] ?? contact(0))).toBe(false)
    hearsay.tried(strangers[7] ?? contact(0), false)
    expect(hearsay.isDoubtful(strangers[10] ?? contact(0))).toBe(true)
  })

  it('doubts nobody for what another one has named, or for a peer that was named before', () => {
    const hearsay = new ReferralReputation()
    const [good, later] = [contact(50), contact(51)]
    hearsay.named(good, HONEST)
    hearsay.named(good, LIAR)

    for (let n = 0; n < 20; n++) {
      const gone = contact(100 + n)
      hearsay.named(gone, LIAR)
      hearsay.tried(gone, false)
    }

    hearsay.named(later, HONEST)
    expect(hearsay.isDoubtful(good)).toBe(false)
    expect(hearsay.isDoubtful(later)).toBe(false)
    expect(hearsay.isDoubtful(contact(52))).toBe(false)
  })

  it('forgives a peer that names some who are there', () => {
    const hearsay = new ReferralReputation()
    const strangers = Array.from({ length: 40 }, (_, n) => contact(100 + n))

    for (const [n, stranger] of strangers.entries()) {
      hearsay.named(stranger, HONEST)
      hearsay.tried(stranger, n % 2 === 0)
    }

    expect(hearsay.isDoubtful(strangers[0] ?? contact(0))).toBe(false)
  })

  it('remembers where a peer was not, and not elsewhere, until it is reached there (N9h)', () => {
    const hearsay = new ReferralReputation()
    const [there, elsewhere] = [
      contact(50, ['/ip4/10.0.0.1/tcp/1']),
      contact(50, ['/ip4/10.0.0.1/tcp/2'])
    ]
    hearsay.missed(there)

    expect(hearsay.isMissed(there)).toBe(true)
    expect(hearsay.isMissed(contact(50, ['/ip4/10.0.0.1/tcp/1']))).toBe(true)
    expect(hearsay.isMissed(elsewhere)).toBe(false)

    hearsay.tried(there, true)
    expect(hearsay.isMissed(there)).toBe(false)
  })
})
