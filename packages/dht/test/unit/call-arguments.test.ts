import { recordKey } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { operations } from '../support/simulated-operations.ts'
import { Simulation } from '../support/simulated-replicas.ts'

/** As JavaScript calls it, with whatever comes to mind. */
// biome-ignore lint/suspicious/noExplicitAny: TypeScript would not let any of this pass
const given = (options: object): any => options

describe('an option that a call does not have', () => {
  const dht = operations(new Simulation(recordKey('k'), { size: 6 }))

  it.each([
    ['store', () => dht.store('k', 'v', given({ ttl: 60, subKey: 'x' })), 'subKey'],
    ['delete', () => dht.delete('k', given({ ttl: 60, subKey: 'x' })), 'subKey'],
    ['get', () => dht.get('k', given({ lastest: true })), 'lastest'],
    ['getMany', () => dht.getMany(['k'], given({ progress: () => {} })), 'progress'],
    ['storeMany', () => dht.storeMany([], given({ timeout: 5 })), 'timeout'],
    ['findNearestPeers', () => dht.findNearestPeers('k', given({ n: 5 })), 'n'],
    ['watch', async () => dht.watch('k', given({ timeoutMs: 5 })), 'timeoutMs'],
    ['stopRepublishing', async () => dht.stopRepublishing('k', given({ toString: 1 })), 'toString']
  ])('is a TypeError that says which there are: %s', async (call, calling, name) => {
    const error = await calling().then(() => undefined, String)

    expect(error).toMatch(`TypeError: ${call} has no option ${name}; it has `)
  })

  it('is one in an entry, too, which it names', async () => {
    const entries = [
      { key: 'a', value: 1 },
      { key: 'b', value: 2, subKey: 'x' }
    ]

    await expect(dht.storeMany(entries, { ttl: 60 })).rejects.toThrow(
      'entry 1: entry has no option subKey; it has expirationTime, key, privateKey, subkey, ttl, value'
    )
  })
})
