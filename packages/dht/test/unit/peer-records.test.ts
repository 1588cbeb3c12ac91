import type { PeerId } from '@libp2p/interface'
import { beforeEach, describe, expect, it } from 'vitest'
import { FIRST_BAN_MS, PeerBook } from '../../src/peers/peer-book.ts'
import { MAX_MISBEHAVED_PEERS, MAX_PEER_RECORDS } from '../../src/peers/peer-records.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { contactOf, peerNumber } from '../support/numbered-peers.ts'

const error = new Error('it violated the protocol')
const many = numbered(0, MAX_PEER_RECORDS)
const [first, second, third] = many as [PeerId, PeerId, PeerId]

function numbered(from: number, count: number): PeerId[] {
  return Array.from({ length: count }, (_, n) => peerNumber(from + n))
}

describe('PeerRecords', () => {
  let clock: ManualClock
  let book: PeerBook

  beforeEach(() => {
    clock = manualClock(0)
    book = new PeerBook({ nowMs: clock })
  })

  function fail(peers: readonly PeerId[]): void {
    for (const peer of peers) {
      book.recordFailure(contactOf(peer))
    }
  }

  function avoided(...peers: PeerId[]): boolean[] {
    return peers.map((peer) => book.isAvoided(contactOf(peer)))
  }

  it('keep a limited number, and forget the peer first that failed the longest ago (N9d)', () => {
    fail(many)
    fail([first])
    const last = peerNumber(MAX_PEER_RECORDS)
    fail([last])

    expect(avoided(first, second, third, last)).toEqual([true, false, true, true])
    expect(book.records.size).toBe(MAX_PEER_RECORDS)
  })

  it('keep nothing of a peer of which there is nothing to remember', () => {
    book.records.update(first, (record) => {
      record.isConnected = true
    })
    book.recordDelay(second)
    expect(book.records.size).toBe(2)

    book.records.update(first, (record) => {
      record.isConnected = false
    })
    book.recordResponse(second)
    book.recordResponse(third)
    expect(book.records.size).toBe(0)
  })

  it('keep banned peers, however many others fail or are late (N9d)', () => {
    book.ban(first, error)
    fail(numbered(1, MAX_PEER_RECORDS))

    for (const peer of numbered(MAX_PEER_RECORDS + 1, 100)) {
      book.recordDelay(peer)
    }

    expect(book.isBanned(first)).toBe(true)
    expect(book.records.size).toBe(MAX_PEER_RECORDS)
  })

  it('keep peers that mislead lookups, whoever they name (N9d)', () => {
    for (const peer of numbered(1, MAX_PEER_RECORDS + 100)) {
      const contact = contactOf(peer)
      book.recordReferral(contact, first)
      book.recordDial(contact, false)
    }

    const named = contactOf(peerNumber(2 * MAX_PEER_RECORDS))
    book.recordReferral(named, first)
    expect(book.isAvoided(named)).toBe(true)
  })

  it('keep failing peers rather than late ones', () => {
    fail([first])

    for (const peer of numbered(1, MAX_PEER_RECORDS)) {
      book.recordDelay(peer)
    }

    expect(avoided(first)).toEqual([true])
    expect([1, 2].map((n) => book.isLate(peerNumber(n)))).toEqual([false, true])
  })

  it('keep connected peers and those of the routing table, however many others there are', () => {
    book.records.update(first, (record) => {
      record.isConnected = true
    })
    book.records.update(second, (record) => {
      record.isInTable = true
    })
    fail(numbered(2, MAX_PEER_RECORDS + 10))

    expect([first, second].map((peer) => book.isVerified(peer))).toEqual([true, true])
    expect(book.records.size).toBe(MAX_PEER_RECORDS + 2)
  })

  it('forget repeat offenders last of all offenders (N9d)', () => {
    const offenders = numbered(0, MAX_MISBEHAVED_PEERS)

    for (const peer of offenders) {
      book.ban(peer, error)
    }

    book.ban(first, error)
    book.ban(peerNumber(MAX_MISBEHAVED_PEERS), error)
    expect([first, second, third].map((peer) => book.isBanned(peer))).toEqual([true, false, true])

    clock.time += FIRST_BAN_MS
    expect([first, third].map((peer) => book.isBanned(peer))).toEqual([true, false])
  })
})
