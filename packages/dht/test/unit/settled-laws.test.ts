import type { PeerId } from '@libp2p/interface'
import { getDHTTime, isEmpty, plainRecord } from '@waggle/record'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DEFAULT_NUM_REPLICAS } from '../../src/constants.ts'
import { pointOfKey } from '../../src/peers/key-space.ts'
import { KnownPeers, SETTLED_MS } from '../../src/peers/known-peers.ts'
import { PeerRecords } from '../../src/peers/peer-records.ts'
import { IS_LONG } from '../support/effort.ts'
import { peerNumber } from '../support/numbered-peers.ts'
import { type KeepingPeer, KeptNetwork, keyNumber } from '../support/simulated-upkeep.ts'

/** Records held at first, and keys that are asked for. Peers of another network hold some of the others. */
const RECORDS = 40
const FOREIGN = [40, 41, 42, 43, 44]
const KEYS = 50
const BASE = 12
const MAX_PEERS = 120

/** Milliseconds after which upkeep has run, and after which replicas have been compared, too. */
const PASS_MS = 1_100
const COMPARED_MS = 20_000

/** Waits before upkeep, until it has run, and until all hand-overs are over. */
const WAITS = [200, PASS_MS, COMPARED_MS, SETTLED_MS, SETTLED_MS]

type Step =
  | { readonly join: number }
  | { readonly merge: number }
  | { readonly kill: readonly number[] }
  | { readonly waitMs: number }

const step = fc.oneof<fc.Arbitrary<Step>[]>(
  fc.record({ join: fc.integer({ min: 1, max: 8 }) }),
  fc.record({ merge: fc.integer({ min: 1, max: 8 }) }),
  fc.record({ kill: fc.array(fc.nat(), { minLength: 1, maxLength: 8 }) }),
  fc.record({ waitMs: fc.constantFrom(...WAITS) })
)

/** A network of peers, each of which knows the others. */
class Scene {
  readonly net = new KeptNetwork()
  readonly #known = new Map<KeepingPeer, KnownPeers>()
  readonly #record = plainRecord('value', getDHTTime() + 1e6)

  /** What peers know that have served for long when they join. */
  readonly #established = Array.from({ length: MAX_PEERS }, (_, n) => knownOf(peerNumber(n)))

  /** Times that the replicas' word was enough. */
  settled = 0

  constructor() {
    this.join(BASE)
    this.net.fill(RECORDS, 10, getDHTTime() + 1e6)
    vi.advanceTimersByTime(SETTLED_MS)
  }

  async run(step: Step): Promise<void> {
    if ('join' in step) {
      this.join(step.join)
    } else if ('merge' in step) {
      this.#merge(step.merge)
    } else if ('kill' in step) {
      this.#kill(step.kill)
    } else {
      await this.#wait(step.waitMs)
    }
  }

  /** A reader asks the nearest servers alone, each of which says that nothing is there. */
  check(): void {
    for (const [n, nearest] of this.net.ownership(KEYS).entries()) {
      const key = keyNumber(n)
      const isAbsent = (peer: KeepingPeer): boolean =>
        isEmpty(peer.store.get(key)) &&
        this.#known.get(peer)?.isSettled(pointOfKey(key), DEFAULT_NUM_REPLICAS) === true

      if (nearest.length === DEFAULT_NUM_REPLICAS && nearest.every(isAbsent)) {
        const holders = this.net.alive().filter(({ store }) => !isEmpty(store.get(key)))
        expect(holders).toEqual([])
        this.settled++
      }
    }
  }

  join(count: number, isFresh = true): KeepingPeer[] {
    const before = this.net.alive()
    const peers = this.net.join(count)

    for (const peer of peers) {
      const { id } = peer.contact
      const place = this.net.peers.indexOf(peer)
      const known = (isFresh ? undefined : this.#established[place]) ?? knownOf(id)
      this.#known.set(peer, known)

      for (const other of before) {
        known.addConnected(other.contact.id, 'host')
        this.#known.get(other)?.addConnected(id, 'host')
      }

      before.push(peer)
    }

    return peers
  }

  /** Has peers join that hold records of a network of their own. */
  #merge(count: number): void {
    for (const { store } of this.join(count, false)) {
      FOREIGN.map((n) => store.apply(keyNumber(n), this.#record))
    }
  }

  #kill(places: readonly number[]): void {
    for (const place of places) {
      const alive = this.net.alive()
      const dying = alive[place % alive.length]

      if (dying !== undefined && alive.length > BASE / 2) {
        dying.isAlive = false
        this.net.alive().map((peer) => this.#known.get(peer)?.leave(dying.contact.id))
      }
    }
  }

  async #wait(ms: number): Promise<void> {
    vi.advanceTimersByTime(ms)

    if (ms >= PASS_MS) {
      await this.net.keep()
    }

    if (ms >= COMPARED_MS) {
      await this.net.audit()
    }
  }
}

function knownOf(self: PeerId): KnownPeers {
  return new KnownPeers({ self, records: new PeerRecords(), addressesOf: async () => [] })
}

describe('A key that all replicas call absent', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  it('is held by no peer, whoever comes and goes (N5)', { timeout: 120_000 }, async () => {
    let settled = 0

    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
        const scene = new Scene()

        for (const one of steps) {
          await scene.run(one)
          scene.check()
        }

        settled += scene.settled
      }),
      { numRuns: IS_LONG ? 1_000 : 100 }
    )

    expect(settled).toBeGreaterThan(0)
  })
})
