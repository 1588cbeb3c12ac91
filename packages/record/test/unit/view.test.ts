import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  Dictionary,
  EMPTY_RECORD,
  type Found,
  join,
  plainRecord,
  type Subkey,
  subkeyRecord,
  tombstoneRecord,
  view
} from '../../src/index.ts'
import { decodeValue, parseSubkeyId, shownExpiration } from '../../src/replica.ts'
import { LAW, moment, record } from '../generators.ts'
import { modelShown } from '../model.ts'

const party = join(subkeyRecord('alice', 'yes', 5), subkeyRecord('carol', 'no', 7))

describe('view', () => {
  it('shows nothing where nothing was written (R8)', () => {
    expect(view(EMPTY_RECORD, 0)).toBeUndefined()
  })

  it('shows a plain value until the very moment it expires (R1, R8)', () => {
    const held = plainRecord(['i', 'love', 'bees'], 10.5)

    expect(view(held, 10.25)).toStrictEqual({
      value: ['i', 'love', 'bees'],
      expirationTime: 10.5
    })
    expect(view(held, 10.5)).toBeUndefined()
  })

  it('shows null as a value, not as nothing (R8, R11)', () => {
    expect(view(plainRecord(null, 5), 0)).toStrictEqual({ value: null, expirationTime: 5 })
  })

  it('shows a dictionary as a Map that expires with its last subkey (R8)', () => {
    expect(view(party, 0)).toStrictEqual({
      value: new Map([
        ['alice', { value: 'yes', expirationTime: 5 }],
        ['carol', { value: 'no', expirationTime: 7 }]
      ]),
      expirationTime: 7
    })
  })

  it('leaves out the subkeys that have expired (R1, R8)', () => {
    expect(view(party, 5)).toStrictEqual({
      value: new Map([['carol', { value: 'no', expirationTime: 7 }]]),
      expirationTime: 7
    })
    expect(view(party, 7)).toBeUndefined()
  })

  it('lists subkeys in the order of their bytes, in whatever order they came (R8)', () => {
    const names = ['b', 10, 'aa', false, 'a', 2]
    const record = names
      .map((name) => subkeyRecord(name, 1, 5))
      .reduce((held, next) => join(held, next))
    const shown = view(record, 0)?.value as Map<Subkey, Found>

    expect([...shown.keys()]).toEqual([2, 10, 'a', 'b', 'aa', false])
  })

  it('shows the dictionary in front of a plain value, and the value when it is over (R8)', () => {
    const held = join(plainRecord('behind', 6), subkeyRecord('alice', 'yes', 8))
    const deleted = join(held, tombstoneRecord(9, { subkey: 'alice' }))

    expect(view(held, 0)?.value).toBeInstanceOf(Map)
    expect(view(deleted, 0)).toStrictEqual({ value: 'behind', expirationTime: 6 })
  })

  it('leaves out a deleted subkey, and counts its tombstone for no expiration (R8, R9)', () => {
    const held = join(party, tombstoneRecord(9, { subkey: 'carol' }))

    expect(view(held, 0)).toStrictEqual({
      value: new Map([['alice', { value: 'yes', expirationTime: 5 }]]),
      expirationTime: 5
    })
  })

  it('shows nothing where all that is left are tombstones (R8, R9)', () => {
    const held = join(tombstoneRecord(3), tombstoneRecord(9, { subkey: 'carol' }))

    expect(view(held, 0)).toBeUndefined()
  })

  it('shows a value again when it outlives the deletion of another (R9)', () => {
    const held = join(party, tombstoneRecord(6))

    expect(view(held, 0)).toStrictEqual({
      value: new Map([['carol', { value: 'no', expirationTime: 7 }]]),
      expirationTime: 7
    })
  })

  it('shows what the rule says, read literally (R1, R8)', () => {
    fc.assert(
      fc.property(record, moment, (held, now) => {
        expect(view(held, now)).toStrictEqual(modelView(modelShown(held, now)))
      }),
      LAW
    )
  })

  it('reads the clock when the caller does not say the time (R1)', () => {
    expect(view(plainRecord('x', Date.now() / 1000 - 1))).toBeUndefined()
    expect(view(plainRecord('x', Date.now() / 1000 + 60))?.value).toBe('x')
  })
})

describe('shownExpiration', () => {
  it('is the expiration that the view has (R8)', () => {
    fc.assert(
      fc.property(record, moment, (held, now) => {
        expect(shownExpiration(held, now)).toBe(view(held, now)?.expirationTime)
      }),
      LAW
    )
  })
})

function modelView(shown: ReturnType<typeof modelShown>): Found | undefined {
  const founds = shown.map(({ place, entry: { value, expirationTime } }) => ({
    place,
    found: { value: decodeValue(value as Uint8Array), expirationTime }
  }))

  if (founds[0] === undefined || founds[0].place === undefined) {
    return founds[0]?.found
  }

  return {
    value: new Dictionary(
      founds.map(({ place, found }) => [parseSubkeyId(place as string), found])
    ),
    expirationTime: Math.max(...founds.map(({ found }) => found.expirationTime))
  }
}
