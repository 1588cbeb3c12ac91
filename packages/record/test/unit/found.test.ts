import { describe, expect, it } from 'vitest'
import {
  Dictionary,
  type Found,
  getDHTTime,
  join,
  ownerOf,
  ownerTag,
  plainRecord,
  recordKey,
  type Subkey,
  subkeyRecord,
  type Value,
  view
} from '../../src/index.ts'
import { ALICE, BOB } from '../generators.ts'

const SOON = getDHTTime() + 60

function found(value: Value): { value: Value; expirationTime: number } {
  return { value, expirationTime: SOON }
}

describe('Dictionary', () => {
  it('finds arrays and bytes by what is in them', () => {
    const record = join(subkeyRecord(['a', [1]], 1, SOON), subkeyRecord(Uint8Array.of(7), 2, SOON))
    const dictionary = view(record)?.value

    if (!(dictionary instanceof Dictionary)) {
      throw new Error('no dictionary')
    }

    expect(dictionary.get(['a', [1]])?.value).toBe(1)
    expect(dictionary.get(Uint8Array.of(7))?.value).toBe(2)
    expect(dictionary.has(['a', ['1']])).toBe(false)
    expect(dictionary.has({} as never)).toBe(false)
  })

  it('holds each of them once, under the key that came first', () => {
    const first = ['a']
    const dictionary = new Dictionary<Subkey>([[first, found(1)]])
    dictionary.set(['a'], found(2)).set(1, found(3)).set(1n, found(4))

    expect([...dictionary.keys()]).toEqual([['a'], 1, 1n])
    expect([...dictionary.keys()][0]).toBe(first)
    expect(dictionary.get(['a'])).toEqual(found(2))
    expect(dictionary.delete(['a'])).toBe(true)
    expect(dictionary.delete(['a'])).toBe(false)
    expect(dictionary.size).toBe(2)
    dictionary.clear()
    expect(dictionary.set(['a'], found(5)).size).toBe(1)
  })

  it('equals a Map of the same entries', () => {
    expect(new Dictionary([['a', found(1)]])).toEqual(new Map([['a', found(1)]]))
  })
})

describe('view', () => {
  it('names the owner of each entry, if it knows the key', () => {
    const mine = subkeyRecord(ownerTag(ALICE), 'mine', SOON)
    const record = join(mine, subkeyRecord('anybody', 'free', SOON))
    const { value: dictionary } = view(record, SOON - 1, recordKey('key')) as Found<Dictionary>

    expect([...dictionary.values()]).toEqual([
      { ...found('free') },
      { ...found('mine'), owner: ALICE }
    ])
    expect((view(record) as Found<Dictionary>).value.get(ownerTag(ALICE))).toEqual(found('mine'))
    const plain = plainRecord('plain', SOON)
    expect(view(plain, SOON - 1, recordKey(['profile', ownerTag(BOB)]))).toHaveProperty(
      'owner',
      BOB
    )
    expect(view(plain, SOON - 1, recordKey('profile'))).not.toHaveProperty('owner')
  })
})

describe('ownerOf', () => {
  it('finds the peer that a key or subkey names, and nobody where nobody can write', () => {
    expect(ownerOf(ownerTag(ALICE))).toBe(ALICE)
    expect(ownerOf(['room', [`of ${ownerTag(ALICE)}`]])).toBe(ALICE)
    expect([ownerOf('room'), ownerOf(7), ownerOf([ownerTag(ALICE), ownerTag(BOB)])]).toEqual([
      undefined,
      undefined,
      undefined
    ])
    expect(ownerOf('[owner:Qm]')).toBeUndefined()
  })
})
