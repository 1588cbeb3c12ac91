import { describe, expect, it } from 'vitest'
import { assertOptions, type OptionTable } from '../../src/argument-checks.ts'
import { nearestNames } from '../../src/nearest-names.ts'

describe('nearestNames', () => {
  it('lists names with few edits, the fewest first', () => {
    expect(nearestNames('latets', ['latest', 'later', 'timeoutMs'])).toEqual(['latest', 'later'])
    expect(nearestNames('subKey', ['key', 'subkey'])).toEqual(['subkey'])
    expect(nearestNames('x', ['y'])).toEqual([])
  })
})

describe('assertOptions', () => {
  const few = { signal: {}, timeoutMs: {} }
  const many = Object.fromEntries(['initialPeers', ...'abcdefgh'].map((name) => [name, {}]))

  it.each<[given: string, table: OptionTable, message: string]>([
    ['timeOutMs', few, 'get has no option timeOutMs: did you mean timeoutMs?'],
    ['timeout', few, 'get has no option timeout: did you mean timeoutMs?'],
    ['abortSignal', few, 'get has no option abortSignal: did you mean signal?'],
    ['latest', few, 'get has no option latest; it has signal, timeoutMs'],
    ['peers', many, 'get has no option peers: did you mean initialPeers?'],
    ['latest', many, 'get has no option latest; it has initialPeers, a, b, c, d, e, f, g, h']
  ])('says which option may have been meant by %s', (name, table, message) => {
    expect(() => assertOptions('get', { [name]: 1 }, table)).toThrow(new TypeError(message))
  })

  it('puts the prefix before the name of an invalid option', () => {
    const assert = (_: unknown, option: string): void => {
      throw new TypeError(`${option} is wrong`)
    }
    expect(() => assertOptions('limits', { maxTtl: 1 }, { maxTtl: { assert } }, 'limits.')).toThrow(
      new TypeError('limits.maxTtl is wrong')
    )
  })
})
