import { type DHTRecord, EMPTY_RECORD, join, subkeyRecord } from '@waggle/record'
import { encodedSize } from '@waggle/record/replica'
import { describe, expect, it } from 'vitest'
import type { KeyChange } from '../../src/store/store-listeners.ts'
import { type ForwardedKey, ForwardedKeys } from '../../src/watch/forwarded-keys.ts'
import { MAX_FORWARDED_BYTES } from '../../src/watch/limits.ts'
import { START } from '../support/simulated-replicas.ts'

/** A record of nearly 1 MiB. */
const LARGE = [1, 2, 3, 4]
  .map((subkey) => subkeyRecord(subkey, 'x'.repeat(260_000), START + 60))
  .reduce((all, one) => join(all, one))

const REMOTE = { peer: 'p', role: 'remote' } as const

describe('ForwardedKeys', () => {
  it.each(['dependant', 'remote'] as const)(
    'watches nothing further as a %s when what it holds takes 64 MiB (N9d, N14)',
    (role) => {
      const learn = new Map<string, () => void>()
      const keys = new ForwardedKeys({
        max: 256,
        begin(name, onChange) {
          const key = {
            record: EMPTY_RECORD as DHTRecord,
            isTold: true,
            isReachable: true,
            end() {}
          }
          learn.set(name, () => {
            key.record = LARGE
            onChange({ added: LARGE, before: EMPTY_RECORD })
          })
          return key
        }
      })
      const begin = (name: string): boolean => keys.begin(name, () => {}, { peer: 'p', role })
      let count = 0

      while (begin(`${count}`)) {
        learn.get(`${count++}`)?.()
        expect(count).toBeLessThan(100)
      }

      expect(count).toBe(64)
      keys.end('1')
      expect(begin('more')).toBe(true)
    }
  )

  it('gives up keys of large records when these grow beyond it, at once (N9d)', () => {
    const large = subkeyRecord('x', 'x'.repeat(260_000), START + 60)
    const known = new Map<string, DHTRecord>()
    const changed = new Map<string, (change: KeyChange) => void>()
    const keys = new ForwardedKeys({
      max: 0,
      begin(name, onChange) {
        changed.set(name, onChange)
        return {
          get record() {
            return known.get(name) ?? EMPTY_RECORD
          },
          ...{ isTold: true, isReachable: true, end() {} }
        }
      }
    })
    const begin = (name: string): boolean => keys.begin(name, () => {}, REMOTE)
    const names = Array.from({ length: 300 }, (_, i) => `${i}`)
    expect(names.every(begin) && begin('small')).toBe(true)

    for (const name of names) {
      known.set(name, large)
      changed.get(name)?.({ added: large, before: EMPTY_RECORD })
    }

    const held = names.filter((name) => keys.has(name)).length
    expect(held * encodedSize(large)).toBeLessThanOrEqual(MAX_FORWARDED_BYTES)
    expect((held + 2) * encodedSize(large)).toBeGreaterThan(MAX_FORWARDED_BYTES)
    expect([keys.has('small'), begin('small'), begin('299')]).toEqual([true, true, false])
  })

  const begin = (): ForwardedKey => ({
    ...{ record: EMPTY_RECORD, isTold: true, isReachable: true, end() {} }
  })

  it.each(['dependant', 'remote'] as const)(
    'are shared by peers that want them as %ss, when they are scarce (N13j)',
    (role) => {
      const record = role === 'remote' ? LARGE : EMPTY_RECORD
      const keys = new ForwardedKeys({ max: 64, begin: () => ({ ...begin(), record }) })
      const want = (peer: string, i: number): boolean =>
        keys.begin(`${peer} ${i}`, () => {}, { peer, role })
      const many = Array.from({ length: 100 }, (_, i) => i)
      const greedy = many.filter((i) => want('greedy', i)).length
      const modest = many.filter((i) => want('modest', i)).length

      expect(greedy).toBeGreaterThanOrEqual(63)
      expect(modest).toBeGreaterThan(16)
      expect(keys.size).toBeLessThanOrEqual(66)
      expect(keys.has(`greedy ${greedy - 1}`)).toBe(false)
      expect(want('greedy', 100)).toBe(false)
      expect(many.filter((i) => keys.has(`modest ${i}`) && want('modest', i))).toHaveLength(modest)
    }
  )
})
