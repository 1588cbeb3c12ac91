import type { PeerInfo } from '@libp2p/interface'
import { beforeEach, describe, expect, it } from 'vitest'
import { PeerBook } from '../../src/peers/peer-book.ts'
import { contact } from '../support/exchange-serving.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { peerNumber } from '../support/numbered-peers.ts'
import { bookOf } from '../support/verified-peers.ts'

const LIAR = peerNumber(1)
const HONEST = peerNumber(2)
const KNOWN = contact(3)
const UNVERIFIED = contact(4)

/** Wrong referrals that exceed the limit by one. */
const TOO_MANY = 8

describe('the referrals of a peer', () => {
  let book: PeerBook
  let next: number

  beforeEach(() => {
    book = new PeerBook({ nowMs: () => 0 })
    next = 100
  })

  /** Lets a peer name others, and records whether each is reached. */
  function refer(referrer: typeof LIAR, count: number, isReached: boolean): void {
    for (let n = 0; n < count; n++) {
      book.recordDial(named(referrer), isReached)
    }
  }

  function named(referrer: typeof LIAR): PeerInfo {
    const peer = contact(next++)
    book.recordReferral(peer, referrer)
    return peer
  }

  it('are asked last once too many of them were not there (N9h)', () => {
    const before = named(LIAR)
    refer(LIAR, TOO_MANY - 1, false)
    expect(book.isAvoided(before)).toBe(false)

    refer(LIAR, 1, false)
    expect([before, named(LIAR)].map((one) => book.isAvoided(one))).toEqual([true, true])
  })

  it('say nothing of what another peer has named, or named first', () => {
    const first = named(HONEST)
    book.recordReferral(first, LIAR)
    refer(LIAR, 20, false)

    const others = [first, named(HONEST), contact(52)]
    expect(others.map((one) => book.isAvoided(one))).toEqual([false, false, false])
  })

  it('are forgiven if others of them are there', () => {
    for (let n = 0; n < 20; n++) {
      refer(HONEST, 1, false)
      refer(HONEST, 1, true)
    }

    expect(book.isAvoided(named(HONEST))).toBe(false)
  })

  it('win back trust after at most as many right ones, however many were wrong (N9h)', () => {
    refer(LIAR, 1000, false)
    refer(LIAR, TOO_MANY, true)
    expect(book.isAvoided(named(LIAR))).toBe(true)

    refer(LIAR, 1, true)
    expect(book.isAvoided(named(LIAR))).toBe(false)
  })

  it('lose trust after at most twice as many wrong ones, however many were right (N9h)', () => {
    refer(LIAR, 1000, true)
    refer(LIAR, 2 * TOO_MANY - 1, false)
    expect(book.isAvoided(named(LIAR))).toBe(false)

    refer(LIAR, 1, false)
    expect(book.isAvoided(named(LIAR))).toBe(true)
  })

  it('say nothing where the peer is known by more than that', () => {
    const known = contact(50)
    book = bookOf([known], { nowMs: () => 0 })
    book.recordReferral(known, LIAR)
    refer(LIAR, 20, false)
    book.recordDial(known, false)

    expect(book.isAvoided(known)).toBe(false)
  })
})

describe('dials of peers that others have named', () => {
  let clock: ManualClock
  let book: PeerBook

  beforeEach(() => {
    clock = manualClock(0)
    book = bookOf([KNOWN], { maxDialsPerSecond: 10, nowMs: clock })
  })

  /** Counts the allowed ones of a hundred dials of one address. */
  function dialsOf({ id }: PeerInfo): number {
    return Array.from({ length: 100 }, () => book.mayDial(id, 1)).filter(Boolean).length
  }

  it('are limited to so many addresses in a second, and twice as many at once (N9h)', () => {
    expect(dialsOf(UNVERIFIED)).toBe(20)
    clock.time += 500
    expect(dialsOf(UNVERIFIED)).toBe(5)
  })

  it('are saved up for two seconds and no more (N9h)', () => {
    clock.time += 3_600_000

    expect(dialsOf(UNVERIFIED)).toBe(20)
  })

  it('count each address', () => {
    expect(book.mayDial(UNVERIFIED.id, 16)).toBe(true)
    expect(book.mayDial(UNVERIFIED.id, 16)).toBe(true)
    expect(book.mayDial(UNVERIFIED.id, 1)).toBe(false)
  })

  it('leave those alone of peers that are known by more', () => {
    expect(dialsOf(KNOWN)).toBe(100)
    expect(dialsOf(UNVERIFIED)).toBe(20)
  })

  it('to a peer that is known by more are remembered, too, until it responds', () => {
    book.recordDial(KNOWN, false)
    expect(book.isUnreachable(KNOWN.id)).toBe(true)
    book.recordResponse(KNOWN.id)
    expect(book.isUnreachable(KNOWN.id)).toBe(false)
  })

  it('that are refused put a peer out of reach for a moment, until one is let in (N14)', () => {
    const [full, free] = [contact(50), contact(51)]
    book.recordRefusedDial(full.id)
    book.recordRefusedDial(free.id)
    book.recordDial(free, true)
    const outOfReach = (): boolean[] => [full, free].map(({ id }) => book.isOutOfReach(id))

    clock.time += 4999
    expect(outOfReach()).toEqual([true, false])
    expect(book.isUnreachable(full.id)).toBe(false)
    clock.time += 1
    expect(outOfReach()).toEqual([false, false])
  })

  it('that are refused mean that a peer is full, if it has ever answered, and so does the end of an idle connection (N10d)', () => {
    const full = (): boolean[] => [UNVERIFIED, KNOWN].map(({ id }) => book.isFull(id))
    book.recordRefusedDial(UNVERIFIED.id)
    book.recordRefusedDial(KNOWN.id)
    expect(full()).toEqual([false, true])
    clock.time += 60_000
    expect(full()).toEqual([false, false])
    book.recordFull(UNVERIFIED.id)
    book.recordFull(KNOWN.id)
    expect(full()).toEqual([false, true])
    // It has let this node in at the cost of another one.
    book.recordDial(KNOWN, true)
    expect(full()).toEqual([false, true])
  })

  it('that failed are remembered for a while, until one is reached', () => {
    const [gone, back] = [contact(50), contact(51)]
    book.recordDial(gone, false)
    book.recordDial(back, false)
    book.recordDial(back, true)
    const unreachable = (): boolean[] => [gone, back].map(({ id }) => book.isUnreachable(id))

    clock.time += 299_999
    expect(unreachable()).toEqual([true, false])
    clock.time += 1
    expect(unreachable()).toEqual([false, false])
  })
})
