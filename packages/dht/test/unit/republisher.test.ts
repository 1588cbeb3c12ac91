import { beforeEach, describe, expect, it } from 'vitest'
import {
  MAX_REPUBLISH_INTERVAL,
  type Publication,
  Republisher
} from '../../src/operations/republisher.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { silentLog } from '../support/silent-log.ts'

const NOW = 1000

describe('Republisher', () => {
  let clock: ManualClock
  let republisher: Republisher
  let storedAt: number[]
  let isStored: boolean

  beforeEach(() => {
    clock = manualClock(NOW)
    republisher = new Republisher({ clock, log: silentLog })
    storedAt = []
    isStored = true
  })

  function publication(differences: Partial<Publication> = {}): Publication {
    return {
      ...{ place: 'place', owner: {} },
      async store() {
        storedAt.push(clock.time - NOW)
        return isStored
      },
      ...differences
    }
  }

  async function pass(seconds: number): Promise<void> {
    for (const end = clock.time + seconds; clock.time < end; ) {
      clock.time += 0.25
      await republisher.runDue()
    }
  }

  it('stores again what has a ttl when half of it has passed', async () => {
    republisher.publish(publication({ ttl: 10 }))
    await pass(20)

    expect(storedAt).toEqual([5, 10, 15, 20])
  })

  it('stores at least once an hour, for peers that have come since', async () => {
    republisher.publish(publication({ ttl: 100_000 }))
    clock.time += MAX_REPUBLISH_INTERVAL
    await republisher.runDue()

    expect(storedAt).toEqual([MAX_REPUBLISH_INTERVAL])
  })

  it('stores again what has an end, until then and no longer', async () => {
    republisher.publish(publication({ expirationTime: NOW + 8 }))
    await pass(20)

    expect(storedAt).toEqual([4, 6, 7, 7.5])
    expect(republisher.size).toBe(0)
  })

  it('tries again sooner when it could not be stored, so that it does not expire meanwhile', async () => {
    republisher.publish(publication({ ttl: 40 }))
    await pass(19)
    isStored = false
    await pass(7)
    isStored = true
    await pass(15)

    expect(storedAt).toEqual([20, 25, 30])
  })

  it('takes an error for a failure, too', async () => {
    const failing = async (): Promise<boolean> => {
      storedAt.push(clock.time - NOW)
      throw new Error('the network is away')
    }
    republisher.publish(publication({ ttl: 40, store: failing }))
    await pass(31)

    expect(storedAt).toEqual([20, 25, 30])
  })

  it('stops when told to, one place or those of a key or of an owner', async () => {
    const owner = {}
    republisher.publish(publication({ ttl: 10 }))
    republisher.publish(publication({ place: 'key\0a', ttl: 10 }))
    republisher.publish(publication({ place: 'key\0b', ttl: 10 }))
    republisher.publish(publication({ place: 'other', ttl: 10, owner }))

    expect([republisher.unpublish('place'), republisher.unpublish('place')]).toEqual([true, false])
    republisher.unpublishAll('key\0')
    republisher.unpublishOwn(owner)
    await pass(20)
    expect([republisher.size, storedAt.length]).toEqual([0, 0])
  })

  it('withdraws what failed only if nothing has taken its place', () => {
    const [first, second] = [publication({ ttl: 10 }), publication({ ttl: 10 })]
    republisher.publish(first)
    republisher.publish(second)
    republisher.withdraw(first)
    expect(republisher.size).toBe(1)

    republisher.withdraw(second)
    expect(republisher.size).toBe(0)
  })

  it('does not go on with what was stopped while it was being stored', async () => {
    const store = async (): Promise<boolean> => {
      republisher.unpublish('place')
      return false
    }
    republisher.publish(publication({ ttl: 10, store }))
    await pass(6)

    expect(republisher.size).toBe(0)
  })
})
