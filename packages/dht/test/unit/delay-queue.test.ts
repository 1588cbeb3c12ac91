import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DelayQueue } from '../../src/timing/delay-queue.ts'
import { collectGarbage } from '../support/collect-garbage.ts'
import { turns } from '../support/end-of-turn.ts'

const DELAY_MS = 100

interface Item {
  readonly name: string
  readonly beganAtMs: number
  isPending: boolean
}

interface Queue {
  readonly queue: DelayQueue<Item>

  /** Who fell due, and when. */
  readonly due: [name: string, atMs: number][]

  /** Adds an item whose delay begins now. */
  add(name: string): Item
}

function delayQueue(delayMs = DELAY_MS, onDue: (item: Item) => void = () => {}): Queue {
  const due: Queue['due'] = []
  const startMs = performance.now()
  const queue = new DelayQueue<Item>({
    delayMs,
    beganAtMs: ({ beganAtMs }) => beganAtMs,
    isPending: ({ isPending }) => isPending,
    onDue: (item) => {
      due.push([item.name, performance.now() - startMs])
      item.isPending = false
      onDue(item)
    }
  })

  return {
    queue,
    due,
    add(name) {
      const item = { name, beganAtMs: performance.now(), isPending: true }
      queue.add(item)
      return item
    }
  }
}

describe('DelayQueue', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })

  afterEach(() => {
    vi.restoreAllMocks()
    vi.useRealTimers()
  })

  it('lets items go in the order in which they came, each after its delay', () => {
    const { add, due } = delayQueue()
    add('a')
    vi.advanceTimersByTime(30)
    add('b')
    add('c')
    vi.advanceTimersByTime(30)
    add('d')

    vi.advanceTimersByTime(39)
    expect(due).toEqual([])
    vi.advanceTimersByTime(1000)
    expect(due).toEqual([
      ['a', 100],
      ['b', 130],
      ['c', 130],
      ['d', 160]
    ])
  })

  it('has one timer, however many items wait, and none when nothing does', () => {
    const { add } = delayQueue()
    expect(vi.getTimerCount()).toBe(0)

    for (let i = 0; i < 1000; i++) {
      add(`item ${i}`)
      expect(vi.getTimerCount()).toBe(1)
    }

    vi.advanceTimersByTime(DELAY_MS)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('sets no timer for each item: those that come and go share one', () => {
    const setTimer = vi.spyOn(globalThis, 'setTimeout')
    const { add, due } = delayQueue()

    for (let ms = 0; ms < 1000; ms++) {
      for (let i = 0; i < 10; i++) {
        add('answered').isPending = false
      }

      vi.advanceTimersByTime(1)
    }

    expect(setTimer.mock.calls.length).toBeLessThanOrEqual(1 + 1000 / DELAY_MS)
    expect(due).toEqual([])
  })

  it('says nothing of what was settled before, and goes on with what was not', () => {
    const { add, due } = delayQueue()
    const items = ['a', 'b', 'c', 'd', 'e'].map(add)

    for (const place of [0, 2, 4]) {
      ;(items[place] as Item).isPending = false
    }

    vi.advanceTimersByTime(DELAY_MS)
    expect(due.map(([name]) => name)).toEqual(['b', 'd'])
  })

  it('says nothing of what another one that fell due with it has settled', () => {
    const { add, due } = delayQueue(DELAY_MS, () => {
      other.isPending = false
    })
    add('a')
    const other = add('b')
    vi.advanceTimersByTime(DELAY_MS)

    expect(due.map(([name]) => name)).toEqual(['a'])
  })

  it('takes in what is added when something falls due', () => {
    const { add, due } = delayQueue(DELAY_MS, ({ name }) => {
      if (name === 'a') {
        add('b')
      }
    })
    add('a')
    vi.advanceTimersByTime(10 * DELAY_MS)

    expect(due).toEqual([
      ['a', 100],
      ['b', 200]
    ])
  })

  it('waits on when its timer comes a little early, as timers may', () => {
    const { add, due } = delayQueue(DELAY_MS + 0.4)
    add('a')
    vi.advanceTimersByTime(DELAY_MS)
    expect(due).toEqual([])
    vi.advanceTimersByTime(1)
    expect(due.map(([name]) => name)).toEqual(['a'])
  })

  it('lets everything go that fell due while the process was busy', async () => {
    const { add, due } = delayQueue()
    add('a')
    vi.advanceTimersByTime(50)
    add('b')
    add('c').isPending = false
    vi.spyOn(performance, 'now').mockReturnValue(1000)
    vi.advanceTimersByTime(50)
    expect(due).toEqual([])
    await turns()

    expect(due.map(([name]) => name)).toEqual(['a', 'b'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('takes in first what has arrived while the process was busy (N8b)', async () => {
    const { add, due } = delayQueue()
    const answered = add('a')
    vi.spyOn(performance, 'now').mockReturnValue(1000)
    vi.advanceTimersByTime(DELAY_MS)
    answered.isPending = false
    await turns()

    expect(due).toEqual([])
  })

  it('forgets everything when it is cleared, and can be used again', () => {
    const { add, due, queue } = delayQueue()
    add('a')
    add('b')
    queue.clear()
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(DELAY_MS)
    expect(due).toEqual([])

    add('c')
    vi.advanceTimersByTime(DELAY_MS)
    expect(due.map(([name]) => name)).toEqual(['c'])
  })

  it.each([2 ** 31, 2 ** 40])(
    'waits for %d ms, which are more than a timer takes, and stays idle meanwhile',
    (delayMs) => {
      const setTimer = vi.spyOn(globalThis, 'setTimeout')
      const { add, due } = delayQueue(delayMs)
      add('a')
      vi.advanceTimersByTime(60_000)

      expect(due).toEqual([])
      expect(setTimer.mock.calls.length).toBeLessThan(5)
      expect(setTimer.mock.calls.every(([, ms]) => (ms ?? 0) < 2 ** 31)).toBe(true)
    }
  )
})

describe("DelayQueue's memory (N9d)", () => {
  /** Settled items of which the queue lets the collector have all but so many. */
  async function remaining(add: (count: number) => WeakRef<Item>[]): Promise<number> {
    const references = add(20_000)
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
    return references.filter((reference) => reference.deref() !== undefined).length
  }

  it('is free of what was settled when the next item comes', async () => {
    const { add, queue } = delayQueue(600_000)
    const left = await remaining((count) =>
      Array.from({ length: count }, (_, i) => {
        const item = add(`item ${i}`)
        item.isPending = false
        return new WeakRef(item)
      })
    )

    expect(left).toBeLessThan(2)
    queue.clear()
  })

  it('is free of most of what was settled while others behind it wait', async () => {
    const { add, queue } = delayQueue(600_000)
    const left = await remaining((count) => {
      const items = Array.from({ length: count }, (_, i) => add(`item ${i}`))

      for (const item of items.slice(0, 0.9 * count)) {
        item.isPending = false
      }

      add('last')
      return items.slice(0, 0.9 * count).map((item) => new WeakRef(item))
    })

    expect(left).toBe(0)
    queue.clear()
  })
})
