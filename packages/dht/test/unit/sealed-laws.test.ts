import { createCipheriv, createHmac, hkdfSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Key, recordKey, type Value } from '@waggle/record'
import { DEFAULT_NETWORK, encodeValue, subkeyId, UNLIMITED } from '@waggle/record/replica'
import fc from 'fast-check'
import { concat } from 'uint8arrays/concat'
import { fromString } from 'uint8arrays/from-string'
import { toString as stringOf } from 'uint8arrays/to-string'
import { describe, expect, it } from 'vitest'
import { contentBytes, open, seal } from '../../src/sealed/envelope.ts'
import { HiddenNames } from '../../src/sealed/hidden-names.ts'
import { sealingKeys } from '../../src/sealed/sealing-keys.ts'
import { law } from '../support/effort.ts'
import { hChaCha20 } from '../support/h-cha-cha-20.ts'

const SECRET = new Uint8Array(32).fill(7)
const OTHER_SECRET = new Uint8Array(32).fill(8)

const name: fc.Arbitrary<Key> = fc.oneof(
  fc.constantFrom('a', 'b', ''),
  fc.nat(2),
  fc.uint8Array({ maxLength: 2 })
)
const place = fc.record({
  key: fc.array(name, { minLength: 1, maxLength: 2 }),
  subkey: fc.option(name, { nil: undefined }),
  expirationTime: fc.nat(3)
})
const value: fc.Arbitrary<Value> = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Value>
const secret = fc.constantFrom(SECRET, OTHER_SECRET)
const network = fc.constantFrom('/a', '/b')

/** Whether two places, secrets or networks are the same. */
function isSame(a: unknown, b: unknown): boolean {
  return (
    stringOf(encodeValue([a] as never, UNLIMITED), 'hex') ===
    stringOf(encodeValue([b] as never, UNLIMITED), 'hex')
  )
}

describe('a sealed value', () => {
  it('opens with its secret, in its network, place and time, and nowhere else', () => {
    fc.assert(
      fc.property(
        place,
        place,
        secret,
        secret,
        network,
        network,
        value,
        fc.option(name, { nil: undefined }),
        (...args) => {
          const [here, there, own, other, network, otherNetwork, value, subkey] = args
          const keys = sealingKeys(own, network)
          const sealed = seal(keys, here, contentBytes({ subkey, value }))
          expect(open(keys, here, sealed)).toEqual({ subkey, value })

          const isHere =
            own === other &&
            network === otherNetwork &&
            isSame(
              [here.key, here.subkey ?? [], here.expirationTime],
              [there.key, there.subkey ?? [], there.expirationTime]
            )
          const opened = open(sealingKeys(other, otherNetwork), there, sealed)
          expect(opened === undefined).toBe(!isHere)
        }
      ),
      law(300)
    )
  })

  it('does not open when any byte of it is changed, added or missing', () => {
    const keys = sealingKeys(SECRET, DEFAULT_NETWORK)
    fc.assert(
      fc.property(
        place,
        value,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (place, value, at, by) => {
          const sealed = seal(keys, place, contentBytes({ subkey: 'a', value }))
          const changed = Uint8Array.from(sealed)
          changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ by

          expect(open(keys, place, changed)).toBeUndefined()
          expect(open(keys, place, sealed.subarray(0, at % sealed.length))).toBeUndefined()
          expect(open(keys, place, Uint8Array.of(...sealed, by))).toBeUndefined()
        }
      ),
      law(300)
    )
  })

  it('is the same bytes for the same write, and shares no nonce with another', () => {
    const keys = sealingKeys(SECRET, DEFAULT_NETWORK)
    fc.assert(
      fc.property(place, place, value, value, (one, two, first, second) => {
        const a = seal(keys, one, contentBytes({ subkey: undefined, value: first }))
        const b = seal(keys, two, contentBytes({ subkey: undefined, value: second }))
        expect(seal(keys, one, contentBytes({ subkey: undefined, value: first }))).toEqual(a)
        const isOne = stringOf(a, 'hex') === stringOf(b, 'hex')
        expect(stringOf(a.subarray(1, 25), 'hex') === stringOf(b.subarray(1, 25), 'hex')).toBe(
          isOne
        )
      }),
      law(300)
    )
  })
})

interface Vector {
  readonly name: string
  readonly secret: string
  readonly network: string
  readonly writers: 'members' | 'anybody'

  /** Strings. */
  readonly key: string
  readonly subkey?: string
  readonly value: string
  readonly expirationTime: number

  /** Bytes in hex, as replicas see them. */
  readonly recordKey: string
  readonly hiddenSubkey?: string
  readonly sealed: string
}

const VECTORS = JSON.parse(
  readFileSync(new URL('../fixtures/sealed.json', import.meta.url), 'utf8')
) as Vector[]

const hex = (bytes: Uint8Array): string => stringOf(bytes, 'hex')

describe('the test vectors', () => {
  it.each(VECTORS)('hold for $name', (vector) => {
    const { expirationTime, key, network, subkey, value } = vector
    const keys = sealingKeys(fromString(vector.secret, 'hex'), network)
    const membersTag =
      vector.writers === 'members' ? `[owner:${keys.privateKey.publicKey}]` : undefined
    const names = new HiddenNames({ names: keys.names, membersTag })
    const place = {
      key: names.key(key),
      subkey: subkey === undefined ? undefined : names.subkey(key, subkey),
      expirationTime
    }

    expect({
      recordKey: hex(recordKey(place.key)),
      hiddenSubkey:
        place.subkey === undefined ? undefined : hex(fromString(subkeyId(place.subkey), 'latin1')),
      sealed: hex(seal(keys, place, contentBytes({ subkey, value })))
    }).toEqual({
      recordKey: vector.recordKey,
      hiddenSubkey: vector.hiddenSubkey,
      sealed: vector.sealed
    })
  })

  it.each(VECTORS)('are what the document says, by OpenSSL, for $name', (vector) => {
    const { expirationTime, key, network, subkey, value } = vector
    const derive = (use: string): Uint8Array =>
      new Uint8Array(
        hkdfSync(
          'sha256',
          fromString(vector.secret, 'hex'),
          '',
          `waggle-sealed:1:${use}:${network}`,
          32
        )
      )
    const hmac = (mac: Uint8Array, ...parts: Uint8Array[]): Uint8Array => {
      return new Uint8Array(createHmac('sha256', mac).update(concat(parts)).digest())
    }
    const hidden = hmac(derive('names'), encodeValue(['key', key]))
    expect(vector.recordKey).toContain(hex(hidden))
    const hiddenSubkey =
      subkey && hmac(derive('names'), encodeValue(['subkey', key, subkey])).subarray(0, 16)
    expect(vector.hiddenSubkey ?? '').toContain(hiddenSubkey ? hex(hiddenSubkey) : '')

    const content = encodeValue(subkey === undefined ? [value] : [value, subkey])
    const outer = encodeValue([1, expirationTime])
    // The array's head counts the key, and the subkey, too.
    const bound = Uint8Array.of(
      0x80 | (subkey === undefined ? 3 : 4),
      ...outer.subarray(1),
      ...fromString(vector.recordKey, 'hex').subarray('/waggle/'.length),
      ...fromString(vector.hiddenSubkey ?? '', 'hex')
    )
    const nonce = hmac(derive('nonces'), bound, content).subarray(0, 24)
    const cipher = createCipheriv(
      'chacha20-poly1305',
      hChaCha20(derive('values'), nonce.subarray(0, 16)),
      Uint8Array.of(0, 0, 0, 0, ...nonce.subarray(16)),
      { authTagLength: 16 }
    )
    cipher.setAAD(bound, { plaintextLength: content.length })
    const encrypted = [cipher.update(content), cipher.final()]
    expect(vector.sealed).toBe(
      `01${hex(nonce)}${hex(Buffer.concat([...encrypted, cipher.getAuthTag()]))}`
    )
  })
})
