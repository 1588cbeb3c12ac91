import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BoundedMap } from '../../src/collections/bounded-map.ts'

type Step = readonly ['set' | 'touch' | 'get' | 'delete', key: number]

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(fc.constantFrom('set', 'touch', 'get', 'delete'), fc.nat(5)),
  { maxLength: 60 }
)

/** Applies a step to a list of keys, oldest first. Returns the key to be evicted. */
function applyTo(keys: number[], [name, key]: Step, maxSize: number): number | undefined {
  const at = keys.indexOf(key)

  if (name === 'get' || (at === -1 && name !== 'set')) {
    return undefined
  }

  if (at !== -1) {
    keys.splice(at, 1)
  }

  if (name !== 'delete') {
    keys.push(key)
  }

  return keys.length > maxSize ? keys.shift() : undefined
}

/** Takes the step, and returns the map's answer for the key before it. */
function take(map: BoundedMap<number, string>, [name, key]: Step): string | undefined {
  const before = map.get(key)

  if (name === 'set') {
    map.set(key, textFor(key))
  } else if (name === 'delete') {
    expect(map.delete(key)).toBe(before !== undefined)
  } else {
    expect(map[name](key)).toBe(before)
  }

  return before
}

function textFor(key: number): string {
  return `value ${key}`
}

describe('BoundedMap', () => {
  it('keeps the entries that were set or touched last, and tells which one it evicts', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 4 }), (given, maxSize) => {
        const evicted: [number, string][] = []
        const onEvict = (key: number, value: string): unknown => evicted.push([key, value])
        const map = new BoundedMap<number, string>({ maxSize, onEvict })
        const keys: number[] = []

        for (const step of given) {
          const expected = keys.filter((key) => key === step[1]).map(textFor)
          const gone = applyTo(keys, step, maxSize)

          expect([take(map, step)]).toEqual(expected.length > 0 ? expected : [undefined])
          expect(evicted.splice(0)).toEqual(gone === undefined ? [] : [[gone, textFor(gone)]])
          expect([...map.keys()]).toEqual(keys)
          expect([...map]).toEqual(keys.map((key) => [key, textFor(key)]))
          expect([...map.values()]).toEqual(keys.map(textFor))
          expect(map.size).toBe(keys.length)
          expect(map.has(step[1])).toBe(keys.includes(step[1]))
        }
      })
    )
  })

  it('replaces the value of an entry', () => {
    const map = new BoundedMap<string, number>({ maxSize: 1 })
    map.set('key', 1)
    map.set('key', 2)

    expect([...map]).toEqual([['key', 2]])
    map.clear()
    expect(map.size).toBe(0)
  })
})
