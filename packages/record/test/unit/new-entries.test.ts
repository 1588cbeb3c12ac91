import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { join } from '../../src/index.ts'
import { newEntries } from '../../src/replica.ts'
import { LAW, record } from '../generators.ts'

describe('newEntries', () => {
  it('comes to the same as the whole record, joined to what is held', () => {
    fc.assert(
      fc.property(record, record, (held, added) => {
        expect(join(held, newEntries(held, added))).toEqual(join(held, added))
      }),
      LAW
    )
  })

  it('is nothing of what is held', () => {
    fc.assert(
      fc.property(record, record, (held, added) => {
        const { plain, subkeys } = newEntries(held, added)

        for (const [id, entry] of subkeys) {
          expect(held.subkeys.get(id)).not.toEqual(entry)
        }

        expect(plain === undefined || plain !== held.plain).toBe(true)
        expect(newEntries(held, held)).toEqual({ subkeys: new Map() })
      }),
      LAW
    )
  })
})
