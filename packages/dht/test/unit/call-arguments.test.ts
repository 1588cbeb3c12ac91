import { recordKey } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { operations } from '../support/simulated-operations.ts'
import { Simulation } from '../support/simulated-replicas.ts'

/** Passes any object as options, as JavaScript can. */
// biome-ignore lint/suspicious/noExplicitAny: TypeScript would not let any of this pass
const given = (options: object): any => options

describe('an option that a call does not have', () => {
  const dht = operations(new Simulation(recordKey('k'), { size: 6 }))

  it.each([
    ['store', 'subKey', ': did you mean subkey?', () => dht.store('k', 'v', given({ subKey: 1 }))],
    ['delete', 'subKey', ': did you mean subkey?', () => dht.delete('k', given({ subKey: 1 }))],
    ['get', 'lastest', ': did you mean latest?', () => dht.get('k', given({ lastest: true }))],
    [
      ...(['getMany', 'progress', ': did you mean onProgress?'] as const),
      () => dht.getMany(['k'], given({ progress: () => {} }))
    ],
    [
      ...(['storeMany', 'timeout', ': did you mean timeoutMs?'] as const),
      () => dht.storeMany([], given({ timeout: 5 }))
    ],
    [
      ...(['findNearestPeers', 'n', '; it has signal, timeoutMs, count'] as const),
      () => dht.findNearestPeers('k', given({ n: 5 }))
    ],
    [
      ...(['watch', 'timeoutMs', '; it has signal, renewals, onProgress, subkey'] as const),
      async () => dht.watch('k', given({ timeoutMs: 5 }))
    ],
    [
      ...(['publish', 'toString', '; it has signal, ttl, goodbye, privateKey, subkey'] as const),
      async () => dht.publish('k', 'v', given({ ttl: 1, toString: 1 }))
    ]
  ])('is a TypeError that says which may be meant: %s', async (call, name, rest, calling) => {
    const error = await calling().then(() => undefined, String)

    expect(error).toBe(`TypeError: ${call} has no option ${name}${rest}`)
  })

  it('is refused as an entry if it is none', async () => {
    await expect(dht.storeMany([given(['a', 1])], { ttl: 60 })).rejects.toThrow(
      new TypeError('entry 0: it must be an object { key, value }, got Array')
    )
  })

  it('is one in an entry, too, which it names', async () => {
    const entries = [
      { key: 'a', value: 1 },
      { key: 'b', value: 2, subKey: 'x' }
    ]

    await expect(dht.storeMany(entries, { ttl: 60 })).rejects.toThrow(
      'entry 1: entry has no option subKey: did you mean subkey?'
    )
  })
})

describe('an option that is not what it has to be', () => {
  const dht = operations(new Simulation(recordKey('k'), { size: 6 }))
  const reading = (options: object) => [
    () => dht.get('k', given(options)),
    () => dht.getMany(['k'], given(options))
  ]
  const seconds = 'sufficientExpirationTime must be a number of seconds, as getDHTTime() gives, got'

  it.each([
    [`${seconds} "x"`, reading({ sufficientExpirationTime: 'x' })],
    [`${seconds} NaN`, reading({ sufficientExpirationTime: Number.NaN })],
    [`${seconds} Date`, reading({ sufficientExpirationTime: new Date() })],
    ['latest must be true or false, got "no"', reading({ latest: 'no' })],
    ['latest must be true or false, got null', reading({ latest: null })],
    [
      'retry must be true or false, got "yes"',
      [() => dht.store('k', 'v', given({ ttl: 60, retry: 'yes' }))]
    ],
    ['onProgress must be a function, got 5', [() => dht.getMany(['k'], given({ onProgress: 5 }))]]
  ])('is a TypeError that says so: %s', async (said, calls) => {
    for (const calling of calls) {
      expect(await calling().then(() => undefined, String)).toBe(`TypeError: ${said}`)
    }
  })

  it('may be left out by undefined, and be a moment that never comes', async () => {
    const options = { latest: undefined, sufficientExpirationTime: Number.POSITIVE_INFINITY }

    expect(await dht.get('k', options)).toBeUndefined()
    expect(await dht.getMany(['k'], { sufficientExpirationTime: undefined })).toEqual([undefined])
  })
})
