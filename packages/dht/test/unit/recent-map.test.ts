import { describe, expect, it } from 'vitest'
import { RecentMap } from '../../src/collections/recent-map.ts'

describe('RecentMap', () => {
  it('has an entry for a time after it was set last', () => {
    let nowMs = 0
    const map = new RecentMap<string, number>({ maxSize: 2, maxAgeMs: 10, nowMs: () => nowMs })
    map.set('a', 1)
    nowMs = 9
    expect(map.get('a')).toBe(1)
    map.set('a', 2)
    nowMs = 18
    expect(map.get('a')).toBe(2)
    expect(map.has('a')).toBe(true)
    nowMs = 19
    expect(map.get('a')).toBeUndefined()
    expect(map.has('a')).toBe(false)
  })

  it('evicts the oldest entry when it is full', () => {
    const evicted: string[] = []
    const map = new RecentMap<string, true>({
      ...{ maxSize: 2, maxAgeMs: 10, nowMs: () => 0 },
      onEvict: (key) => evicted.push(key)
    })

    for (const key of ['a', 'b', 'c']) {
      map.set(key, true)
    }

    expect(evicted).toEqual(['a'])
    expect(map.size).toBe(2)
    expect(map.delete('b')).toBe(true)
    expect(['a', 'b', 'c'].map((key) => map.has(key))).toEqual([false, false, true])
  })
})
