import type { PeerInfo } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { beforeEach, describe, expect, it } from 'vitest'
import { FIRST_AVOIDANCE_MS, MAX_AVOIDANCE_MS } from '../../src/constants.ts'
import { BusyError } from '../../src/errors.ts'
import type { PeerBook } from '../../src/peers/peer-book.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { contactOf, peerNumber } from '../support/numbered-peers.ts'
import { bookOf } from '../support/verified-peers.ts'

const peer = contactOf(peerNumber(1))
const other = contactOf(peerNumber(2))

/** Makes a contact at an address that others have named. */
function named(n: number, port: number): PeerInfo {
  return { id: peerNumber(n), multiaddrs: [multiaddr(`/ip4/10.0.0.1/tcp/${port}`)] }
}

describe('PeerBook.recordFailure', () => {
  let clock: ManualClock
  let book: PeerBook

  beforeEach(() => {
    clock = manualClock(5_000)
    book = bookOf([peer, other], { nowMs: clock })
  })

  /**
   * Records some failures in a row, and returns for how long the peer is avoided then, to half a second.
   */
  function avoidedMs(failures: number, error?: Error): number {
    for (let i = 0; i < failures; i++) {
      book.recordFailure(peer, error)
    }

    const startMs = clock.time
    clock.time += 1

    while (book.isAvoided(peer) && clock.time < startMs + 2 * MAX_AVOIDANCE_MS) {
      clock.time += 500
    }

    return clock.time - startMs - 1
  }

  it('avoids a peer that failed until the first second is over, and no other (N8c)', () => {
    expect(book.isAvoided(peer)).toBe(false)
    book.recordFailure(peer)

    clock.time += FIRST_AVOIDANCE_MS - 1
    expect([peer, other].map((one) => book.isAvoided(one))).toEqual([true, false])
    expect(book.numAvoided).toBe(1)
    clock.time += 1
    expect(book.isAvoided(peer)).toBe(false)
    expect(book.numAvoided).toBe(0)
  })

  it('takes addresses for silent until somebody answers there, be it with a refusal (N8n)', () => {
    const contact = named(3, 1)
    expect(book.suspicionOf(contact)).toBe('none')
    book.recordFailure(contact)
    expect(book.suspicionOf(contact)).toBe('silent')
    expect(book.suspicionOf(named(3, 2))).toBe('none')

    book.recordFailure(contact, new Error('no encryption could be agreed on in time'))
    expect(book.suspicionOf(contact)).toBe('silent')
    book.recordFailure(contact, Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
    expect(book.suspicionOf(contact)).toBe('none')
  })

  it.each([
    [1, FIRST_AVOIDANCE_MS],
    [2, 2 * FIRST_AVOIDANCE_MS],
    [3, 4 * FIRST_AVOIDANCE_MS],
    [6, 32 * FIRST_AVOIDANCE_MS]
  ])('avoids a peer that failed %i times in a row for %i ms (N8c)', (failures, ms) => {
    expect(avoidedMs(failures)).toBe(ms)
  })

  it('goes on counting when a peer fails again after it was avoided (N8c)', () => {
    avoidedMs(1)

    expect(avoidedMs(1)).toBe(2 * FIRST_AVOIDANCE_MS)
  })

  it('avoids nobody for longer than the longest time, however often it fails (N8c)', () => {
    expect(avoidedMs(2_000)).toBe(MAX_AVOIDANCE_MS)
  })

  it('forgets all failures when the peer responds (N8c)', () => {
    avoidedMs(2)
    book.recordFailure(peer)
    book.recordResponse(peer.id)

    expect(book.isAvoided(peer)).toBe(false)
    expect(avoidedMs(1)).toBe(FIRST_AVOIDANCE_MS)
  })

  it('spares a busy peer for a second, and keeps the count of its failures (N8c)', () => {
    const busy = new BusyError('too much to do')
    expect([avoidedMs(1, busy), avoidedMs(1, busy)]).toEqual([
      FIRST_AVOIDANCE_MS,
      FIRST_AVOIDANCE_MS
    ])
    expect(avoidedMs(2)).toBe(2 * FIRST_AVOIDANCE_MS)
    expect(avoidedMs(1, busy)).toBe(FIRST_AVOIDANCE_MS)
    expect(avoidedMs(1)).toBe(4 * FIRST_AVOIDANCE_MS)
  })

  it('holds nothing against a peer whose request was cancelled (N8c)', () => {
    book.recordFailure(peer, Object.assign(new Error('cancelled'), { name: 'AbortError' }))

    expect(book.isAvoided(peer)).toBe(false)
  })

  it('tells of each response and failure of a peer, but not that it is busy (N8c, N10d)', () => {
    const heard: unknown[] = []
    const telling = bookOf([peer], {
      nowMs: clock,
      onFailure: (id) => heard.push(['failure', id]),
      onResponse: (id) => heard.push(['response', id])
    })
    telling.recordFailure(peer)
    telling.recordFailure(peer, new BusyError('too much to do'))
    telling.recordResponse(peer.id)

    expect(heard).toEqual([
      ['failure', peer.id],
      ['response', peer.id]
    ])
  })

  it('avoids an unverified peer at the addresses that failed, not elsewhere (N9h)', () => {
    const [there, again, elsewhere] = [named(50, 1), named(50, 1), named(50, 2)]
    book.recordFailure(there)
    expect([there, again, elsewhere].map((one) => book.isAvoided(one))).toEqual([true, true, false])

    clock.time += FIRST_AVOIDANCE_MS
    expect(book.isAvoided(there)).toBe(false)
    book.recordFailure(again)
    clock.time += FIRST_AVOIDANCE_MS
    expect(book.isAvoided(there)).toBe(true)
  })

  it('asks a peer at addresses that failed as soon as it is verified or reached there (N9h)', () => {
    const [there, connected] = [named(50, 1), named(51, 1)]
    book.recordFailure(there)
    book.recordFailure(connected)
    book.recordDial(there, true)
    book.records.update(connected.id, (record) => {
      record.isConnected = true
    })

    expect([there, connected].map((one) => book.isAvoided(one))).toEqual([false, false])
  })

  it('remembers a few failed sets of addresses of one peer, however many are named (N9h)', () => {
    for (let port = 1; port <= 5; port++) {
      book.recordFailure(named(50, port))
    }

    const avoided = [1, 2, 3, 4, 5].filter((port) => book.isAvoided(named(50, port)))
    expect(avoided).toEqual([2, 3, 4, 5])
  })

  it('takes a late peer for late until it responds (N8b)', () => {
    book.recordDelay(peer.id)
    expect([peer, other].map(({ id }) => book.isLate(id))).toEqual([true, false])
    expect(book.isAvoided(peer)).toBe(false)

    book.recordResponse(peer.id)
    expect(book.isLate(peer.id)).toBe(false)
  })
})
