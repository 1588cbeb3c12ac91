import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkRecord,
  encodeRecord,
  getDHTTime,
  ownerTag,
  plainRecord,
  RecordTooLargeError,
  recordKey,
  recordValidator,
  recordValidatorFor,
  signRecord,
  ValidationError
} from '../../src/index.ts'
import { DEFAULT_LIMITS, DEFAULT_NETWORK, networkOf } from '../../src/replica.ts'
import { ALICE, LAW } from '../generators.ts'
import { ALICES_KEY } from '../owners.ts'

const key = recordKey(ownerTag(ALICE))
const PROTOCOLS = [undefined, '/my-app/kad/1.0.0', '/my-app/kad/2.0.0', '/my-app', '/my-app/']

/** Signs a record in a network, and encodes it. */
async function signedIn(network: string | undefined): Promise<Uint8Array> {
  const write = plainRecord('x', getDHTTime() + 600)
  return encodeRecord(await signRecord(key, write, ALICES_KEY, { network }))
}

describe('networkOf', () => {
  it.each([
    ['/waggle/kad/1.0.0', DEFAULT_NETWORK],
    ['/my-app/kad/1.0.0', '/my-app'],
    ['/my-app/lan/kad/1.0.0', '/my-app/lan'],
    ['/my-app/kad/2.0.0', '/my-app/kad/2.0.0/'],
    ['/my-dht', '/my-dht/'],
    ['/kad/1.0.0', '/kad/1.0.0/']
  ])('gives the protocol %s the network %s (R15)', (protocol, network) => {
    expect(networkOf(protocol)).toBe(network)
  })

  it('gives different protocols different networks (R15)', () => {
    const part = fc.constantFrom('/a', '/kad', '/1.0.0', '/kad/1.0.0', '/kad/2.0.0')
    const protocol = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''))

    fc.assert(
      fc.property(protocol, protocol, (a, b) => {
        expect(networkOf(a) === networkOf(b)).toBe(a === b)
      }),
      LAW
    )
  })
})

describe('a signature', () => {
  it.each(PROTOCOLS)(
    'made where the protocol is %j is valid there and in no other network (R15)',
    async (made) => {
      const bytes = await signedIn(made && networkOf(made))

      for (const protocol of PROTOCOLS) {
        const check = () => checkRecord(key, bytes, { network: protocol && networkOf(protocol) })
        const validated = recordValidatorFor({ protocol })(key, bytes)

        if (protocol === made) {
          expect(check).not.toThrow()
          await expect(validated).resolves.toBeUndefined()
        } else {
          expect(check).toThrow(ValidationError)
          await expect(validated).rejects.toThrow(ValidationError)
        }
      }
    }
  )
})

describe('recordValidatorFor', () => {
  it('has the limits of its network (R12, N1)', async () => {
    const limits = { ...DEFAULT_LIMITS, maxRecordBytes: 10 }
    const bytes = encodeRecord(plainRecord('xxxxxxxxxx', getDHTTime() + 600))

    await expect(recordValidator(recordKey('a'), bytes)).resolves.toBeUndefined()
    await expect(recordValidatorFor({ limits })(recordKey('a'), bytes)).rejects.toThrow(
      RecordTooLargeError
    )
  })
})
