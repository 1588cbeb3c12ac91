import {
  type DHTRecord,
  EMPTY_RECORD,
  type Found,
  join,
  type MaybePromise,
  plainRecord,
  type Subkey,
  subkeyRecord,
  tombstoneRecord,
  type Value,
  view
} from '@waggle/record'
import { DEFAULT_LIMITS, prune, UNLIMITED } from '@waggle/record/replica'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FoundPlaces } from '../../src/live/places.ts'
import { KeyStates, type SeenState, type Watched } from '../../src/watch/key-states.ts'
import { shownOf } from '../../src/watch/shown.ts'
import { law } from '../support/effort.ts'

const NOW = 1_000
const KEY = new Uint8Array([1])

type Places = FoundPlaces<Subkey | undefined, Value>

/** A key that changes, and readers of its states. */
class Scene {
  now = NOW
  record: DHTRecord = EMPTY_RECORD
  validators: object = {}
  isSettled = true

  /** Number of views that were made. */
  views = 0
  show = (record: DHTRecord): MaybePromise<Found | undefined> => view(record, this.now, KEY)
  readonly #last = new Map<unknown, SeenState>()
  readonly states: KeyStates

  constructor() {
    const scene = this
    const watched: Watched = {
      key: KEY,
      shownAt: (now) => shownOf(scene.record, now),
      get record() {
        return scene.record
      },
      get isSettled() {
        return scene.isSettled
      }
    }
    this.states = new KeyStates({
      watched,
      clock: () => this.now,
      checks: {
        show: (_, record) => {
          this.views++
          return this.show(record)
        },
        get validators() {
          return scene.validators
        }
      }
    })
  }

  write(record: DHTRecord): void {
    this.record = prune(join(this.record, record), this.now)
  }

  /** The state that a reader has. */
  last(reader: unknown): SeenState | undefined {
    return this.#last.get(reader)
  }

  async read(reader: unknown): Promise<SeenState> {
    const state = await this.states.after(this.#last.get(reader))
    expect(state).toBeDefined()
    this.#last.set(reader, state as SeenState)
    return state as SeenState
  }

  async readAll(...readers: readonly unknown[]): Promise<SeenState[]> {
    return Promise.all(readers.map((reader) => this.read(reader)))
  }
}

function later(seconds: number, value: Value): DHTRecord {
  return plainRecord(value, NOW + seconds)
}

describe('the states of a key', () => {
  it('are made once for all readers, newcomers too, with what has changed', async () => {
    const scene = new Scene()
    scene.write(later(1, ['a']))
    const [first] = await scene.readAll('x', 'y')
    scene.write(later(2, ['b']))
    const states = await scene.readAll('x', 'y', 'new')

    expect(new Set(states).size).toBe(1)
    expect(scene.views).toBe(2)
    expect(states[0]?.step?.from).toBe(first?.places)
    expect(states[0]?.step?.changes).toMatchObject([{ type: 'changed', found: { value: ['b'] } }])
  })

  it('are unknown until enough is known', () => {
    const scene = new Scene()
    scene.isSettled = false
    expect(scene.states.after(undefined)).toBeUndefined()
  })

  it('have the same value for a reader who missed that it was another one meanwhile', async () => {
    const scene = new Scene()
    scene.write(later(1, ['a']))
    const [first] = await scene.readAll('slow', 'fast')
    scene.write(later(2, ['b']))
    await scene.read('fast')
    scene.write(later(3, ['a']))
    const [fast, slow] = await scene.readAll('fast', 'slow')

    expect(slow?.current).toEqual({ value: ['a'], expirationTime: NOW + 3 })
    expect(slow?.current?.value).toBe(first?.current?.value)
    expect(fast?.current).toEqual(slow?.current)
  })

  it('are made again when the validators change', async () => {
    const scene = new Scene()
    scene.write(later(1, 'refused'))
    await scene.read('old')
    scene.show = () => undefined
    expect((await scene.read('new')).current).toBeDefined()
    scene.validators = {}

    expect((await scene.read('newest')).current).toBeUndefined()
    expect((await scene.read('old')).current).toBeUndefined()
  })

  it('may be larger than the default allows when the validators change', async () => {
    const scene = new Scene()
    const large = ['x'.repeat(DEFAULT_LIMITS.maxValueBytes)]
    scene.write(plainRecord(large, NOW + 100, UNLIMITED))
    const before = await scene.read(1)
    scene.validators = {}
    scene.write(plainRecord(large, NOW + 200, UNLIMITED))
    const { current } = await scene.read(1)

    expect(current?.expirationTime).toBe(NOW + 200)
    expect(current?.value).toBe(before.current?.value)
  })

  it('have the values that the present validators make of the same entries', async () => {
    const scene = new Scene()
    scene.write(later(1, ['a', 'signature']))
    const before = await scene.read('x')
    scene.show = () => ({ value: ['a'], expirationTime: NOW + 1 })
    scene.validators = {}
    expect((await scene.read('new')).current?.value).toEqual(['a'])
    const [x] = await scene.readAll('x')
    expect(x?.current?.value).toEqual(['a'])

    scene.validators = {}
    expect((await scene.read('x')).places.get('')).toBe(x?.places.get(''))
    expect(before.current?.value).toEqual(['a', 'signature'])
  })

  it('are made once, and again after a failure, where that takes time', async () => {
    const scene = new Scene()
    scene.write(later(1, 'a'))
    scene.show = () => Promise.reject(new Error('too slow'))
    await expect(scene.readAll('x', 'y')).rejects.toThrow('too slow')
    expect(scene.views).toBe(1)
    scene.show = async (record) => view(record, NOW, KEY)
    const [x, y] = await scene.readAll('x', 'y')

    expect(scene.views).toBe(2)
    expect(x).toBe(y)
  })

  it('show each reader what is there, and share with what it had all that is equal', async () => {
    const write = fc
      .tuple(
        fc.constantFrom<Value | undefined>(['a'], ['b'], undefined),
        fc.constantFrom(undefined, 's', 't'),
        fc.integer({ min: 1, max: 4 })
      )
      .map(([value, subkey, seconds]) => (scene: Scene): void => {
        const until = scene.now + seconds
        const plain = value && subkey === undefined && plainRecord(value, until)
        const entry = value && subkey && subkeyRecord(subkey, value, until)
        scene.write(plain || entry || tombstoneRecord(until, { subkey }))
      })
    const pass = fc.nat(2).map((seconds) => (scene: Scene): void => {
      scene.now += seconds
    })
    const step = fc.tuple(fc.oneof(write, pass), fc.subarray([0, 1, 2]))

    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.boolean(), async (steps, isAsync) => {
        const scene = new Scene()
        const show = scene.show
        scene.show = isAsync ? async (record) => show(record) : show

        for (const [act, readers] of steps) {
          act(scene)
          const before = readers.map((reader) => scene.last(reader)?.places ?? new Map())
          const states = await scene.readAll(...readers)
          states.forEach(({ current, places }, i) => {
            expect(current).toEqual(view(scene.record, scene.now, KEY))
            expectShared(before[i] as Places, places)
          })
        }
      }),
      law(300)
    )
  })
})

/** Two states of one reader share all objects that are equal. */
function expectShared(before: Places, after: Places): void {
  for (const [name, { found }] of after) {
    const earlier = before.get(name)?.found

    if (earlier !== undefined && String(earlier.value) === String(found.value)) {
      expect(earlier.value).toBe(found.value)
      expect(earlier === found).toBe(earlier.expirationTime === found.expirationTime)
    }
  }
}
