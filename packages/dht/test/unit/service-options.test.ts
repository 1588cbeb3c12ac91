import { waggle, waggleKadDHT } from '@waggle/dht'
import { describe, expect, it } from 'vitest'

// JavaScript callers get no compile-time error.
const wrong: readonly (readonly [said: RegExp, make: () => unknown])[] = [
  [
    /^waggle\(\) has no option numReplica: did you mean numReplicas\?/,
    of(waggle, { numReplica: 3 })
  ],
  [/^numReplicas must be an integer from 1 to 20, got 0/, of(waggle, { numReplicas: 0 })],
  [/^cache must be false or an object, got "none"/, of(waggle, { cache: 'none' })],
  [
    /^limits has no option maxCall: did you mean maxCalls\?/,
    of(waggle, { limits: { maxCall: 1 } })
  ],
  [
    /^limits.maxStoredRecordsPerPeer is a limit .*: use waggleKadDHT\(\{ records: \{ maxRecordsPerPeer \} \}\)$/,
    of(waggle, { limits: { maxStoredRecordsPerPeer: 1 } })
  ],
  [/^durability must be one of/, of(waggle, { dataDir: 'x', durability: 'never' })],
  [/^the options of waggle\(\) must be an object, got "x"/, of(waggle, 'x')],
  [/^the options of waggleKadDHT\(\) must be an object, got "x"/, of(waggleKadDHT, 'x')],
  [
    /^waggleKadDHT\(\) has no option protocl: did you mean protocol\?/,
    of(waggleKadDHT, { protocl: '/x' })
  ],
  [/^protocol must be a string that is not empty, got 5/, of(waggleKadDHT, { protocol: 5 })],
  [
    /^waggleKadDHT\(\) has no option clientmode: did you mean clientMode\?/,
    of(waggleKadDHT, { clientmode: true })
  ],
  [/^validators.foo must be a function, got 1/, of(waggleKadDHT, { validators: { foo: 1 } })],
  [/^the options of records must be an object, got 5/, of(waggleKadDHT, { records: 5 })],
  [
    /^records has no option maxRecord: did you mean maxRecords /,
    of(waggleKadDHT, { records: { maxRecord: 1 } })
  ],
  [
    /^maxRecords must be an integer from 1 up, got "x"/,
    of(waggleKadDHT, { records: { maxRecords: 'x' } })
  ],
  [/^maxBytes must be an integer .* got 0.5/, of(waggleKadDHT, { records: { maxBytes: 0.5 } })],
  [/^limits has no option maxTTL: did/, of(waggleKadDHT, { records: { limits: { maxTTL: 1 } } })],
  [
    /^validators\[0\] must be a RecordValidator/,
    of(waggleKadDHT, { records: { validators: [() => true] } })
  ]
]

function of(service: (init: never) => unknown, init: unknown): () => unknown {
  return () => service(init as never)
}

describe('the services for a node of the application', () => {
  it.each(wrong)('say %s', (said, make) => {
    expect(make).toThrow(said)
    expect(make).toThrow(TypeError)
  })

  it('take what is undefined for left out', () => {
    expect(waggle({ numReplicas: undefined, limits: { maxCalls: undefined } })).toBeTypeOf(
      'function'
    )
    expect(waggleKadDHT({ protocol: undefined as never, records: undefined })).toBeTypeOf(
      'function'
    )
  })
})
