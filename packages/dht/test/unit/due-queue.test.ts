import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Due, DueQueue } from '../../src/timing/due-queue.ts'
import { collectGarbage } from '../support/collect-garbage.ts'

const set = fc.record({ name: fc.constantFrom('a', 'b', 'c'), dueTime: fc.nat(20) })

describe('DueQueue', () => {
  it('takes out what is due, earliest first, and of each name what was set last', () => {
    fc.assert(
      fc.property(fc.array(set, { maxLength: 60 }), fc.nat(20), (items, now) => {
        const queue = new DueQueue<Due>()
        const last = new Map<string, Due>()

        for (const item of items) {
          queue.set(item)
          last.set(item.name, item)
        }

        const left = [...last.values()]
        const times = left.map(({ dueTime }) => dueTime)
        expect(queue.nextTime).toBe(left.length === 0 ? undefined : Math.min(...times))
        const due = queue.take(now)
        expect(due.map(({ dueTime }) => dueTime)).toEqual(
          times.filter((time) => time <= now).sort((a, b) => a - b)
        )
        expect(due.every((item) => last.get(item.name) === item)).toBe(true)
        expect(queue.size).toBe(left.length - due.length)
      })
    )
  })

  it('does not keep what was replaced', async () => {
    const queue = new DueQueue<Due>()
    const replaced: WeakRef<Due>[] = []

    for (let i = 0; i < 10_000; i++) {
      const item = { name: 'one', dueTime: i }
      replaced.push(new WeakRef(item))
      queue.set(item)
    }

    // A WeakRef keeps what was made in the running task.
    await new Promise((resolve) => setTimeout(resolve))
    collectGarbage()
    expect(replaced.filter((one) => one.deref() !== undefined).length).toBeLessThan(100)
    expect(queue.size).toBe(1)
  })
})
