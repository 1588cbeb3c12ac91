import { describe, expect, it } from 'vitest'
import { RemoteError } from '../../src/errors.ts'
import { Batches } from '../../src/rpc/batches.ts'
import { idFrom, nodeContact } from '../support/node-contacts.ts'

describe('Batches', () => {
  async function batchesOf(
    answer: (items: readonly number[]) => readonly number[]
  ): Promise<{ add: (item: number) => Promise<number>; sent: (readonly number[])[] }> {
    const contact = await nodeContact(idFrom(1))
    const sent: (readonly number[])[] = []
    const batches = new Batches<number, number>({
      send: async (_, items) => {
        sent.push(items)
        return answer(items)
      },
      maxItems: 3,
      maxBytes: 10,
      bytesOf: (item) => item
    })
    return { add: (item) => batches.add(contact, item), sent }
  }

  it('sends what comes in one turn together, up to so many items and bytes', async () => {
    const { add, sent } = await batchesOf((items) => items.map((item) => -item))
    const answers = await Promise.all([1, 1, 1, 1, 9, 20].map(add))

    expect(answers).toEqual([-1, -1, -1, -1, -9, -20])
    expect(sent).toEqual([[1, 1, 1], [1, 9], [20]])
  })

  it('sends each by itself when the peer fails on one of them', async () => {
    const { add, sent } = await batchesOf((items) => {
      if (items.includes(2)) {
        throw new RemoteError('TypeError')
      }

      return items
    })
    const answers = await Promise.allSettled([1, 2, 3].map(add))

    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(sent).toEqual([[1, 2, 3], [1], [2], [3]])
  })

  it('rejects items that the peer has left out', async () => {
    const { add } = await batchesOf((items) => items.slice(1))
    const answers = await Promise.allSettled([1, 2].map(add))
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  })
})
