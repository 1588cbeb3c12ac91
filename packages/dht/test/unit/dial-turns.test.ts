import { setTimeout } from 'node:timers/promises'
import type { PeerInfo } from '@libp2p/interface'
import { describe, expect, it, vi } from 'vitest'
import { Lookups } from '../../src/lookup/lookups.ts'
import { PeerBook } from '../../src/peers/peer-book.ts'
import { DialTurns, MAX_TURNS, MIN_TURN_MS, type TurnOptions } from '../../src/wire/dial-turns.ts'
import { PATIENCE } from '../support/libp2p-node.ts'
import { contacts, peerNumber } from '../support/numbered-peers.ts'

const CONTACTS: PeerInfo[] = contacts(2 * MAX_TURNS)

/** Makes a dial in its turn, which succeeds or fails as the function does. */
async function dialInTurn(
  turns: DialTurns,
  { id }: PeerInfo,
  options: TurnOptions,
  dial: () => Promise<void>
): Promise<void> {
  using turn = await turns.take(id, options)
  await dial()
  turn.succeed()
}

/** Dials that a test settles. */
class Dials {
  readonly turns: DialTurns = new DialTurns(peerNumber(1000))
  readonly begun: string[] = []
  readonly #dials: PromiseWithResolvers<void>[] = []

  /** Makes dials to the first peers, or to those given. */
  make(count: number, options: Partial<TurnOptions> & { task: string }, from = 0): Promise<void>[] {
    return CONTACTS.slice(from, from + count).map((contact) =>
      dialInTurn(this.turns, contact, { isRepeated: false, ...options }, () => {
        const dial = Promise.withResolvers<void>()
        this.begun.push(options.isBulk ? `${options.task} in bulk` : options.task)
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

  /** Ends all dials that have begun until so many have. */
  async endAll(count: number): Promise<void> {
    while (this.begun.length < count) {
      const { length } = this.begun
      this.end(MAX_TURNS)
      await vi.waitFor(() => expect(this.begun.length).toBeGreaterThan(length))
    }

    this.end(count)
  }
}

describe('dials', () => {
  it('are made a few at a time, and task by task in rotation (N12)', async () => {
    const dials = new Dials()
    const bulk = dials.make(CONTACTS.length, { task: 'exchange', isBulk: true })
    const single = dials.make(2, { task: 'exchange' })
    await vi.waitFor(() => expect(dials.begun).toHaveLength(MAX_TURNS))
    expect(dials.begun).not.toContain('exchange')

    dials.end(3)
    await vi.waitFor(() => expect(dials.begun).toContain('exchange'))
    expect(dials.begun.length).toBeLessThan(CONTACTS.length)

    await dials.endAll(CONTACTS.length + 2)
    await Promise.all([...bulk, ...single])
  })

  it('for bulk have their turns with those of single requests once one needs the peer (N12)', async () => {
    const dials = new Dials()
    const bulk = dials.make(CONTACTS.length, { task: 'exchange', isBulk: true })
    await vi.waitFor(() => expect(dials.begun).toHaveLength(MAX_TURNS))
    const last = CONTACTS.at(-1) as PeerInfo
    const bulkOrder: number[] = []
    bulk.forEach((dial, index) => void dial.then(() => bulkOrder.push(index)))

    dials.turns.hasten(last.id, 'watch')
    dials.turns.hasten(last.id, 'exchange')
    dials.end(2)
    await vi.waitFor(() => expect(dials.begun).toHaveLength(MAX_TURNS + 2))
    dials.end(MAX_TURNS)
    await bulk.at(-1)
    expect(bulkOrder.length).toBeLessThanOrEqual(MAX_TURNS + 2)

    await dials.endAll(CONTACTS.length)
    await Promise.all(bulk)
    expect(dials.begun).toHaveLength(CONTACTS.length)
  })

  it('keep nobody waiting whose peers do not answer (N12)', async () => {
    const dials = new Dials()
    const startMs = performance.now()
    const silent = dials.make(MAX_TURNS, { task: 'exchange' })
    const [next] = dials.make(1, { task: 'watch' })
    await vi.waitFor(() => expect(dials.begun).toContain('watch'), PATIENCE)
    expect(performance.now() - startMs).toBeGreaterThan(MIN_TURN_MS / 2)

    dials.end(MAX_TURNS + 1)
    await Promise.all([...silent, next])
  })

  it('make progress while they wait, when they begin, and when they succeed (N12)', async () => {
    const dials = new Dials()
    const [first, last] = [CONTACTS[0], CONTACTS[MAX_TURNS]] as [PeerInfo, PeerInfo]
    expect(dials.turns.progressMs(first)).toBe(Number.NEGATIVE_INFINITY)
    const made = dials.make(MAX_TURNS + 1, { task: 'exchange' })
    await vi.waitFor(() => expect(dials.begun).toHaveLength(MAX_TURNS))

    const beganMs = dials.turns.progressMs(first)
    const waitingMs = dials.turns.progressMs(last)
    await vi.waitFor(() => expect(dials.turns.progressMs(last)).toBeGreaterThan(waitingMs))
    const again = dials.make(1, { task: 'watch', isRepeated: true })
    again.push(...dials.make(1, { task: 'clock' }))
    expect(dials.turns.progressMs(first)).toBe(beganMs)
    // Its peer is being dialled all the time: further dials to it are no progress.
    await vi.waitFor(() => expect(dials.begun).toHaveLength(MAX_TURNS + 3), PATIENCE)
    expect(dials.turns.progressMs(first)).toBe(beganMs)

    await dials.endAll(MAX_TURNS + 3)
    await Promise.all([...made, ...again])
    expect(dials.turns.progressMs(first)).toBeGreaterThan(beganMs)
    expect(dials.turns.progressMs(last)).toBeGreaterThan(waitingMs)
  })

  it('that the rate of dials has put back begin when it lets them pass (N12)', async () => {
    const { turns } = new Dials()
    const [{ id }] = CONTACTS as [PeerInfo]
    const options = { task: 'exchange', isRepeated: false }
    const take = async (): Promise<number> => {
      await setTimeout(1)
      using _ = await turns.take(id, { ...options, isRepeated: true })
      return turns.progressMs({ id })
    }
    const first = await turns.take(id, options)
    const beganMs = turns.progressMs({ id })
    first[Symbol.dispose]()
    expect(await take()).toBeLessThan(beganMs + 1)
    using again = await turns.take(id, { ...options, isRepeated: true })
    const passedMs = performance.now()
    again.restart()
    expect(turns.progressMs({ id })).toBeGreaterThanOrEqual(passedMs)

    using another = await turns.take(id, { ...options, task: 'watch' })
    const otherMs = turns.progressMs({ id })
    another.restart()
    expect(turns.progressMs({ id })).toBe(otherMs)
  })

  it('that repeat a refused one are no progress of their peer, and their wait is none of its silence (N12)', async () => {
    const dials = new Dials()
    const others = dials.make(MAX_TURNS - 1, { task: 'exchange' }, 1)
    const [peer] = CONTACTS as [PeerInfo]
    const refused = dialInTurn(
      dials.turns,
      peer,
      { task: 'exchange', isRepeated: false },
      async () => {
        throw new Error('refused')
      }
    )
    await expect(refused).rejects.toThrow('refused')
    const silentMs = (): number => performance.now() - dials.turns.progressMs(peer)
    await setTimeout(20)
    const beforeMs = silentMs()
    expect(beforeMs).toBeGreaterThan(15)

    const last = dials.make(1, { task: 'exchange' }, MAX_TURNS)
    const repeated = dials.make(1, { task: 'exchange', isRepeated: true })
    await setTimeout(100)
    expect(silentMs()).toBeLessThan(1)
    const endMs = performance.now()
    dials.end(1)
    await vi.waitFor(() => expect(dials.begun).toHaveLength(MAX_TURNS + 1))
    expect(silentMs()).toBeGreaterThan(15)
    expect(silentMs() - (performance.now() - endMs)).toBeLessThan(beforeMs + 50)

    dials.end(MAX_TURNS + 1)
    await Promise.all([...others, ...last, ...repeated])
    expect(silentMs()).toBeLessThan(15)
  })

  it('that are cancelled before their turn are not made (N12)', async () => {
    const dials = new Dials()
    const made = dials.make(MAX_TURNS, { task: 'exchange' })
    const controller = new AbortController()
    const late = dials.make(1, { task: 'exchange', signal: controller.signal }, MAX_TURNS)
    controller.abort(new Error('the node was stopped'))

    await expect(late[0]).rejects.toThrow('the node was stopped')
    await vi.waitFor(() => expect(dials.begun).toHaveLength(MAX_TURNS))
    dials.end(MAX_TURNS)
    await Promise.all(made)
    const next = dials.make(1, { task: 'exchange' }, MAX_TURNS + 1)
    await dials.endAll(MAX_TURNS + 1)
    await Promise.all(next)
    expect(dials.begun).toHaveLength(MAX_TURNS + 1)
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
        dialInTurn(turns, contact, { task: 'exchange', isRepeated: false }, shake)
          // The response comes after the dial.
          .then(() => setTimeout(50))
      )
    )

    await Promise.all(asked)
    expect(performance.now() - startMs).toBeGreaterThan(timeoutMs)
    lookups.close()
  })
})
