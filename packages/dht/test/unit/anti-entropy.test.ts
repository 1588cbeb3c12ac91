import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findStaleReplicas } from '../../src/upkeep/anti-entropy.ts'

const PEERS = ['a', 'b', 'c', 'd', 'e', 'f']

describe('findStaleReplicas', () => {
  it.each([
    ['nobody of those that it made sure of', { compared: ['a', 'b', 'c', 'd'], isNew: false }, []],
    ['those that have come', { compared: ['a', 'b'], isNew: false }, ['c']],
    ['the next one after it for a new record', { compared: ['a', 'b', 'c'], isNew: true }, ['c']],
    ['both for a new record', { compared: ['b', 'c'], isNew: true }, ['a', 'c']]
  ])('asks %s', (_, { compared, isNew }, asked) => {
    expect(findStaleReplicas({ owners: ['a', 'b', 'c'], self: 'b', compared, isNew })).toEqual(
      asked
    )
  })

  it('asks the first one after the last', () => {
    const round = { owners: ['a', 'b', 'c'], compared: ['a', 'b', 'c'], self: 'c', isNew: true }
    expect(findStaleReplicas(round)).toEqual(['a'])
  })

  it('asks nobody for the sake of a new record that it holds without being near', () => {
    const far = { owners: ['a', 'b'], compared: ['a', 'b'], self: 'c', isNew: true }
    expect(findStaleReplicas(far)).toEqual([])
  })

  it('leaves nobody of the nearest out, when all of them ask for a new record (N7)', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(PEERS, { minLength: 2 }), (owners) => {
        const asked = owners.flatMap((self) =>
          findStaleReplicas({ owners, self, compared: owners, isNew: true })
        )
        expect(asked.sort()).toEqual([...owners].sort())
      })
    )
  })
})
