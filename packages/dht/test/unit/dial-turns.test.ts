import { setTimeout } from 'node:timers/promises'
import type { PeerInfo } from '@libp2p/interface'
import { describe, expect, it, vi } from 'vitest'
import { Lookups } from '../../src/lookup/lookups.ts'
import { PeerBook } from '../../src/peers/peer-book.ts'
import { DialTurns, MAX_DIALS, MIN_TURN_MS } from '../../src/wire/dial-turns.ts'
import { contacts, peerNumber } from '../support/numbered-peers.ts'

const CONTACTS: PeerInfo[] = contacts(2 * MAX_DIALS)

/** Dials that a test settles. */
class Dials {
  readonly turns: DialTurns = new DialTurns(peerNumber(1000))
  readonly begun: string[] = []
  readonly #dials: PromiseWithResolvers<void>[] = []

  make(count: number, task: string, isRepeated = false): Promise<void>[] {
    return CONTACTS.slice(0, count).map(({ id }) =>
      this.turns.run(id, { task, isRepeated }, () => {
        const dial = Promise.withResolvers<void>()
        this.begun.push(task)
        this.#dials.push(dial)
        return dial.promise
      })
    )
  }

  end(count: number): void {
    for (const dial of this.#dials.splice(0, count)) {
      dial.resolve()
    }
  }
}

describe('dials', () => {
  it('are made a few at a time, and task by task in rotation (N12)', async () => {
    const dials = new Dials()
    const bulk = dials.make(CONTACTS.length, 'exchange in bulk')
    const single = dials.make(2, 'exchange')
    expect(dials.begun).toHaveLength(MAX_DIALS)
    expect(dials.begun).not.toContain('exchange')

    dials.end(3)
    await vi.waitFor(() => expect(dials.begun).toContain('exchange'))
    expect(dials.begun.length).toBeLessThan(CONTACTS.length)

    while (dials.begun.length < CONTACTS.length + 2) {
      const { length } = dials.begun
      dials.end(MAX_DIALS)
      await vi.waitFor(() => expect(dials.begun.length).toBeGreaterThan(length))
    }

    dials.end(CONTACTS.length)
    await Promise.all([...bulk, ...single])
  })

  it('keep nobody waiting whose peers do not answer (N12)', async () => {
    const dials = new Dials()
    const startMs = performance.now()
    const silent = dials.make(MAX_DIALS, 'exchange')
    const [next] = dials.make(1, 'watch')
    await vi.waitFor(() => expect(dials.begun).toContain('watch'))
    expect(performance.now() - startMs).toBeGreaterThan(MIN_TURN_MS / 2)

    dials.end(MAX_DIALS + 1)
    await Promise.all([...silent, next])
  })

  it('make progress while they wait, when they begin, and when they succeed (N12)', async () => {
    const dials = new Dials()
    const [first, last] = [CONTACTS[0], CONTACTS[MAX_DIALS]] as [PeerInfo, PeerInfo]
    expect(dials.turns.progressMs(first)).toBe(Number.NEGATIVE_INFINITY)
    const made = dials.make(MAX_DIALS + 1, 'exchange')

    const beganMs = dials.turns.progressMs(first)
    const waitingMs = dials.turns.progressMs(last)
    await vi.waitFor(() => expect(dials.turns.progressMs(last)).toBeGreaterThan(waitingMs))
    const again = dials.make(1, 'watch', true)
    expect(dials.turns.progressMs(first)).toBe(beganMs)

    while (dials.begun.length < MAX_DIALS + 2) {
      const { length } = dials.begun
      dials.end(MAX_DIALS)
      await vi.waitFor(() => expect(dials.begun.length).toBeGreaterThan(length))
    }

    dials.end(MAX_DIALS)
    await Promise.all([...made, ...again])
    expect(dials.turns.progressMs(first)).toBeGreaterThan(beganMs)
    expect(dials.turns.progressMs(last)).toBeGreaterThan(waitingMs)
  })

  it('that repeat a refused one are no progress of their peer (N12)', async () => {
    const dials = new Dials()
    const [peer] = CONTACTS as [PeerInfo]
    const refused = dials.turns.run(peer.id, { task: 'exchange', isRepeated: false }, async () => {
      throw new Error('refused')
    })
    const beganMs = dials.turns.progressMs(peer)
    await expect(refused).rejects.toThrow('refused')
    await setTimeout(2)
    const repeated = dials.make(1, 'exchange', true)
    expect(dials.turns.progressMs(peer)).toBe(beganMs)

    dials.end(1)
    await Promise.all(repeated)
    expect(dials.turns.progressMs(peer)).toBeGreaterThan(beganMs)
  })

  it('that are cancelled before their turn are not made (N12)', async () => {
    const dials = new Dials()
    const made = dials.make(MAX_DIALS, 'exchange')
    const controller = new AbortController()
    const late = dials.turns.run(
      (CONTACTS[MAX_DIALS] as PeerInfo).id,
      { task: 'exchange', isRepeated: false, signal: controller.signal },
      () => expect.unreachable('the dial was made')
    )
    controller.abort(new Error('the node was stopped'))

    await expect(late).rejects.toThrow('the node was stopped')
    dials.end(MAX_DIALS)
    await Promise.all(made)
  })

  it('let no request time out that was sent together with many others (N8b, N12)', async () => {
    const turns = new DialTurns(peerNumber(1001))
    const timeoutMs = 1500
    const lookups = new Lookups({
      peers: new PeerBook(),
      requestTimeoutMs: timeoutMs,
      isReady: () => false,
      progressMs: (contact) => turns.progressMs(contact)
    })
    // A processor that makes one handshake at a time: the last one ends after the timeout.
    let handshakes = Promise.resolve()
    const shake = (): Promise<void> => {
      handshakes = handshakes.then(() => setTimeout(5))
      return handshakes
    }
    const startMs = performance.now()
    const asked = contacts(400).map((contact) =>
      lookups.inTime(
        contact,
        turns
          .run(contact.id, { task: 'exchange', isRepeated: false }, shake)
          // The response comes after the dial.
          .then(() => setTimeout(50))
      )
    )

    await Promise.all(asked)
    expect(performance.now() - startMs).toBeGreaterThan(timeoutMs)
    lookups.close()
  })
})
