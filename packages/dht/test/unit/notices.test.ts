import { type DHTRecord, EMPTY_RECORD, join, plainRecord, subkeyRecord } from '@waggle/record'
import { DEFAULT_LIMITS, newEntries } from '@waggle/record/replica'
import { describe, expect, it, vi } from 'vitest'
import {
  COLLECT_MS,
  PACE_MS,
  RENEWAL_DELAY_MS,
  UNPACED_SUBSCRIBERS
} from '../../src/watch/limits.ts'
import { Notices } from '../../src/watch/notices.ts'
import { Subscribers } from '../../src/watch/subscribers.ts'
import { useFakeTimers } from '../support/fake-timers.ts'

const NOW = 1000
const NAME = 'room'

/** The notices of one key. */
class Scene {
  readonly subscribers = new Subscribers<number>()
  readonly sent: { readonly write: DHTRecord; readonly to: readonly number[] }[] = []
  readonly #notices = new Notices<number>({
    limits: DEFAULT_LIMITS,
    clock: () => NOW,
    subscribersOf: (name) => (name === NAME ? this.subscribers : undefined),
    send: (_, write, to) => this.sent.push({ write, to })
  })
  #held: DHTRecord = EMPTY_RECORD

  constructor(prompt: number) {
    for (let i = 0; i < prompt; i++) {
      this.subscribers.add(i, 'prompt')
    }
  }

  write(record: DHTRecord): void {
    const before = this.#held
    this.#held = join(before, record)
    this.#notices.add(NAME, { added: newEntries(before, record), before })
  }

  /** Waits, and returns the numbers of entries of all notices since the last call. */
  async sizes(ms: number): Promise<number[]> {
    await vi.advanceTimersByTimeAsync(ms)
    return this.sent
      .splice(0)
      .map(({ write }) => Number(write.plain !== undefined) + write.subkeys.size)
  }
}

function guest(i: number, expirationTime = NOW + 30): DHTRecord {
  return subkeyRecord(`guest ${i}`, 'here', expirationTime)
}

describe('Notices', () => {
  useFakeTimers()

  it('tells each write of a key with few subscribers at the end of the turn', async () => {
    const scene = new Scene(UNPACED_SUBSCRIBERS)
    scene.write(guest(1))
    expect(await scene.sizes(0)).toEqual([1])
    scene.write(guest(2))
    scene.write(guest(3))
    expect(await scene.sizes(0)).toEqual([2])
  })

  it('tells many subscribers the first write at once, and joins those of the pause after it', async () => {
    const count = UNPACED_SUBSCRIBERS + 100
    const scene = new Scene(count)
    scene.write(guest(1))
    expect(await scene.sizes(0)).toEqual([1])

    for (let i = 2; i < 12; i++) {
      scene.write(guest(i))
      expect(await scene.sizes(1)).toEqual([])
    }

    expect(await scene.sizes(100 * PACE_MS)).toEqual([10])
    expect(scene.subscribers.size).toBe(count)
  })

  it('collects renewals, and tells them to everyone', async () => {
    const scene = new Scene(3)
    scene.subscribers.add(3, 'patient')
    scene.write(guest(1))
    scene.write(guest(2))
    await scene.sizes(COLLECT_MS)
    scene.write(guest(1, NOW + 60))
    expect(await scene.sizes(RENEWAL_DELAY_MS / 2)).toEqual([])
    scene.write(guest(2, NOW + 60))
    await vi.advanceTimersByTimeAsync(RENEWAL_DELAY_MS)

    expect(scene.sent).toMatchObject([{ to: [0, 1, 2, 3] }])
    expect(await scene.sizes(0)).toEqual([2])
  })

  it.each([
    ['another value', subkeyRecord('guest 1', 'gone', NOW + 60)],
    ['a value in another place', join(guest(1, NOW + 60), guest(2, NOW + 60))],
    ['a plain value', plainRecord('here', NOW + 60)]
  ])('does not take %s for a renewal', async (_, write) => {
    const scene = new Scene(1)
    scene.write(guest(1))
    await scene.sizes(0)
    scene.write(write)
    expect(await scene.sizes(0)).toHaveLength(1)
  })

  it('tells at once that something lives on which would end soon', async () => {
    const scene = new Scene(1)
    scene.write(guest(1, NOW + RENEWAL_DELAY_MS / 1000))
    await scene.sizes(0)
    scene.write(guest(1, NOW + 60))
    expect(await scene.sizes(0)).toEqual([1])
  })

  it('tells only patient subscribers late, in one notice', async () => {
    const scene = new Scene(1)
    scene.subscribers.add(1, 'patient')

    for (let i = 0; i < 3; i++) {
      scene.write(guest(i))
      expect(await scene.sizes(1)).toEqual([1])
    }

    await vi.advanceTimersByTimeAsync(COLLECT_MS)
    expect(scene.sent).toMatchObject([{ to: [1] }])
    expect(await scene.sizes(0)).toEqual([3])
  })
})
