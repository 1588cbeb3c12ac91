import { describe, expect, it } from 'vitest'
import { type ManyOptions, mapMany } from '../../src/timing/many.ts'
import { turns } from '../support/end-of-turn.ts'

const ROOM: ManyOptions<unknown> = { maxItems: 10 }

/** One item, which the test finishes later. */
interface Work {
  readonly item: number
  readonly index: number
  finish(): void
  fail(error: unknown): void
}

/** Makes a slow function, and the list of its calls. */
function slowly(): { work: Work[]; apply: (item: number, index: number) => Promise<string> } {
  const work: Work[] = []

  return {
    work,
    apply(item, index) {
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      work.push({ item, index, finish: () => resolve(`result ${item}`), fail: reject })
      return promise
    }
  }
}

/** Makes endless numbers, and counts those drawn. */
function endless(): { drawn: number; isEnded: boolean } & Iterable<number> {
  const all = {
    drawn: 0,
    isEnded: false,
    *[Symbol.iterator]() {
      try {
        for (;;) {
          yield all.drawn++
        }
      } finally {
        all.isEnded = true
      }
    }
  }
  return all
}

describe('mapMany', () => {
  it('gives the results in the order of the items, whatever the order of their coming', async () => {
    const { work, apply } = slowly()
    const mapping = mapMany([5, 6, 7, 8], apply, ROOM)

    for (const place of [2, 0, 3, 1]) {
      work[place]?.finish()
      await turns()
    }

    expect(await mapping).toEqual(['result 5', 'result 6', 'result 7', 'result 8'])
    expect(work.map(({ index }) => index)).toEqual([0, 1, 2, 3])
  })

  it('gives nothing for nothing', async () => {
    expect(await mapMany([], async () => 1, ROOM)).toEqual([])
  })

  it('takes any iterable', async () => {
    const items = new Set(['a', 'b', 'c'])

    expect(await mapMany(items, async (item, index) => item + index, ROOM)).toEqual([
      'a0',
      'b1',
      'c2'
    ])
  })

  it('has so many items under way, and draws the next when one is done', async () => {
    const { work, apply } = slowly()
    const items = endless()
    void mapMany(items, apply, { ...ROOM, maxItems: 3 })
    expect(work).toHaveLength(3)

    work[1]?.finish()
    await turns()
    expect(work.map(({ item }) => item)).toEqual([0, 1, 2, 3])
    work[0]?.finish()
    work[2]?.finish()
    await turns()
    expect(work).toHaveLength(6)
    expect(items.drawn).toBe(6)
  })

  it('has so many bytes under way, but always one item, however large (N9j)', async () => {
    const { work, apply } = slowly()
    const sizes = [40, 40, 40, 500, 500, 10, 10]
    const mapping = mapMany(sizes, apply, { ...ROOM, maxBytes: 100, bytesOf: (size) => size })
    const counts: number[] = []

    for (let done = 0; done < sizes.length; done++) {
      counts.push(work.length - done)
      work[done]?.finish()
      await turns()
    }

    // An item is drawn as long as there is room for any, so that the last one may be too much.
    expect(counts).toEqual([3, 3, 2, 1, 1, 2, 1])
    expect(await mapping).toHaveLength(sizes.length)
  })

  it('works off a long iterable without holding it', async () => {
    let underWay = 0
    let most = 0
    const results = await mapMany(
      numbers(100_000),
      async (item) => {
        underWay++
        most = Math.max(most, underWay)
        await null
        underWay--
        return item
      },
      ROOM
    )

    expect(results).toHaveLength(100_000)
    expect(results.at(-1)).toBe(99_999)
    expect(most).toBe(10)
  })

  it('rejects with the first failure, and draws no more', async () => {
    const { work, apply } = slowly()
    const items = endless()
    const mapping = mapMany(items, apply, ROOM)
    const settled = Promise.allSettled([mapping])
    const reason = new Error('first')
    work[3]?.fail(reason)
    work[4]?.fail(new Error('second'))
    work[5]?.finish()
    await turns()

    expect(await settled).toEqual([{ status: 'rejected', reason }])
    expect(items.drawn).toBe(10)
  })

  it('ends the drawing when it fails, as a loop would', async () => {
    const { work, apply } = slowly()
    const items = endless()
    const settled = Promise.allSettled([mapMany(items, apply, ROOM)])
    work[0]?.fail(new Error('no'))
    await settled

    expect(items.isEnded).toBe(true)
  })

  it('ends the drawing, and draws no more, once nobody wants the results (N8a)', async () => {
    const { work, apply } = slowly()
    const items = endless()
    const cancellation = { isCancelled: false }
    void mapMany(items, apply, { ...ROOM, cancellation })
    work[0]?.finish()
    await turns()
    expect(items.drawn).toBe(11)

    cancellation.isCancelled = true
    work[1]?.finish()
    await turns()
    expect(items.drawn).toBe(11)
    expect(items.isEnded).toBe(true)
  })

  it('rejects with the failure, even if the iterable can not be ended', async () => {
    const { work, apply } = slowly()
    const reason = new Error('first')
    const settled = Promise.allSettled([mapMany(unending(), apply, ROOM)])
    work[0]?.fail(reason)
    work[1]?.fail(new Error('second'))

    expect(await settled).toEqual([{ status: 'rejected', reason }])
  })

  it.each([0, 5, 25])('rejects with what the iterable throws at item %i', async (place) => {
    const reason = new Error('the iterable is broken')
    let done = 0
    const mapping = mapMany(
      broken(place, reason),
      async () => {
        await null
        done++
      },
      ROOM
    )

    await expect(mapping).rejects.toBe(reason)
    await turns()
    expect(done).toBe(place)
  })

  it('rejects when an item can not be weighed, and draws no more', async () => {
    const items = endless()
    const reason = new Error('no size')
    const mapping = mapMany(items, async (item) => item, {
      ...ROOM,
      bytesOf: (item) => {
        if (item === 2) {
          throw reason
        }

        return 0
      }
    })

    await expect(mapping).rejects.toBe(reason)
    await turns()
    expect(items.drawn).toBe(3)
  })

  it('lets others have their turns when no item has to be waited for', async () => {
    const items = Array.from({ length: 100 }, (_, i) => i)
    let mapped = 0
    let mappedByThen: number | undefined
    setImmediate(() => {
      mappedByThen = mapped
    })
    const mapping = mapMany(
      items,
      (item) => {
        mapped++
        return 2 * item
      },
      ROOM
    )

    expect(await mapping).toEqual(items.map((item) => 2 * item))
    expect(mappedByThen).toBe(ROOM.maxItems)
  })
})

function* numbers(count: number): Generator<number> {
  for (let i = 0; i < count; i++) {
    yield i
  }
}

function* broken(place: number, reason: Error): Generator<number> {
  yield* numbers(place)
  throw reason
}

function* unending(): Generator<number> {
  try {
    yield* endless()
  } finally {
    // biome-ignore lint/correctness/noUnsafeFinally: that is what a caller's may do
    throw new Error('there is more to come')
  }
}
