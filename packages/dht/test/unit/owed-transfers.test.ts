import { getDHTTime, plainRecord, recordKey } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import type { Member } from '../../src/peers/known-peers.ts'
import { nameOf, RecordStore } from '../../src/store/record-store.ts'
import { Upkeep } from '../../src/upkeep/upkeep.ts'
import { contactOf, peerNumber } from '../support/numbered-peers.ts'
import { silentLog } from '../support/silent-log.ts'

const RECORDS = 200

/** A newcomer that accepts a number of records, and then fails until it is told to go on. */
class Newcomer {
  readonly held = new Set<string>()
  readonly upkeep: Upkeep
  sends = 0
  #left: number
  readonly #members: Member[] = []

  constructor(taken: number) {
    this.#left = taken
    const store = new RecordStore()

    for (let i = 0; i < RECORDS; i++) {
      store.apply(recordKey(i), plainRecord(i, getDHTTime() + 86_400))
    }

    this.upkeep = new Upkeep({
      ...{ self: contactOf(peerNumber(100)), store, numReplicas: 5, log: silentLog },
      ...{ isReplica: () => true, isNear: () => true, members: () => this.#members },
      send: async (_, key) => {
        this.sends++

        if (this.#left-- <= 0) {
          throw new Error('the stream was reset')
        }

        this.held.add(nameOf(key))
        return 'accepted'
      },
      holds: async (_, key) => this.held.has(nameOf(key)),
      ...{ fingerprints: async () => [], reconcile: async () => {}, findNeighbours: async () => {} }
    })
  }

  async join(): Promise<void> {
    await this.upkeep.run()
    await new Promise((resolve) => setTimeout(resolve, 2))
    this.#members.push({ contact: contactOf(peerNumber(1)), sinceMs: performance.now() })
    await this.upkeep.run()
  }

  take(records: number): void {
    this.#left = records
    this.sends = 0
  }
}

describe('a hand-over that fails in part', () => {
  it('resumes with all that is owed, and nothing else (N7)', async () => {
    const newcomer = new Newcomer(120)
    await newcomer.join()
    expect(newcomer.held.size).toBe(120)
    newcomer.take(RECORDS)
    await newcomer.upkeep.run()

    expect(newcomer.held.size).toBe(RECORDS)
    expect(newcomer.sends).toBe(RECORDS - 120)
    newcomer.take(RECORDS)
    await newcomer.upkeep.run()
    expect(newcomer.sends).toBe(0)
  })
})
