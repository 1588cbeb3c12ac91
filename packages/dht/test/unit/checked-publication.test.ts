import { recordKey } from '@waggle/record'
import { describe, expect, it, vi } from 'vitest'
import { CheckedPublication } from '../../src/handles/checked-publication.ts'
import { turns } from '../support/end-of-turn.ts'
import { operations } from '../support/simulated-operations.ts'
import { Simulation } from '../support/simulated-replicas.ts'

const KEY = 'key'

describe('a checked publication', () => {
  it('has the last of several updates, however long the check of each takes', async () => {
    const dht = operations(new Simulation(recordKey(KEY), { size: 6 }))
    const slow = Promise.withResolvers<void>()
    const fast = Promise.withResolvers<void>()
    const checks = new Map([
      ['slow', slow.promise],
      ['fast', fast.promise]
    ])
    const publication = new CheckedPublication({
      ...{ key: KEY, subkey: undefined, value: 'first' },
      check: (value) => checks.get(value),
      begin: (value) => dht.publish(KEY, value, { ttl: 60 })
    })
    const updated = [publication.update('slow'), publication.update('fast')]
    fast.resolve()
    await turns(20)
    expect(publication.value).toBe('fast')
    slow.resolve()
    await Promise.all(updated)

    expect(publication.value).toBe('fast')
    expect((await dht.get(KEY, { latest: true }))?.value).toBe('fast')
  })

  it('tells all listeners that it was refused, also if one throws', async () => {
    const later = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => {})

    try {
      const publication = new CheckedPublication({
        ...{ key: KEY, subkey: undefined, value: 'bad' },
        check: async () => Promise.reject(new Error('it is bad')),
        begin: () => expect.unreachable()
      })
      publication.subscribe(() => {
        throw new Error('a broken listener')
      })
      const listener = vi.fn()
      publication.subscribe(listener)
      await expect(publication.held()).rejects.toThrow('it is bad')
      await turns(5)

      expect(listener).toHaveBeenCalledExactlyOnceWith('stopped')
      expect(later).toHaveBeenCalledOnce()
      expect(later.mock.calls[0]?.[0]).toThrow('a broken listener')
    } finally {
      later.mockRestore()
    }
  })
})
