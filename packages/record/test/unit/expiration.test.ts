import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  getDHTTime,
  InvalidExpirationError,
  plainRecord,
  subkeyRecord,
  tombstoneRecord
} from '../../src/index.ts'
import { DEFAULT_LIMITS, expirationOf, type Lifetime } from '../../src/replica.ts'
import { LAW } from '../generators.ts'

const now = 1_700_000_000

describe('expirationOf', () => {
  it('gives back expirationTime as it is (R14)', () => {
    expect(expirationOf({ expirationTime: now + 600.125 }, now)).toBe(now + 600.125)
  })

  it('counts ttl from now (R14)', () => {
    expect(expirationOf({ ttl: 600.5 }, now)).toBe(now + 600.5)
  })

  it('accepts exactly the limit and nothing beyond (R14, R12)', () => {
    const latest = now + DEFAULT_LIMITS.maxTtl

    expect(expirationOf({ ttl: DEFAULT_LIMITS.maxTtl }, now)).toBe(latest)
    expect(expirationOf({ expirationTime: latest }, now)).toBe(latest)

    for (const lifetime of [
      { ttl: DEFAULT_LIMITS.maxTtl + 0.001 },
      { expirationTime: latest + 0.001 }
    ]) {
      expect(() => expirationOf(lifetime, now)).toThrow(InvalidExpirationError)
    }
  })

  it('applies the limit of the caller (R12)', () => {
    const limits = { ...DEFAULT_LIMITS, maxTtl: 10 }

    expect(expirationOf({ ttl: 10 }, now, limits)).toBe(now + 10)
    expect(() => expirationOf({ ttl: 10.5 }, now, limits)).toThrow(/at most 10 are allowed/)
  })

  it('says that it looks like milliseconds when it is off by a thousand (R14)', () => {
    expect(() => expirationOf({ expirationTime: (now + 600) * 1000 }, now)).toThrow(
      /expirationTime 1700000600000 .* looks like milliseconds/
    )
    expect(() => expirationOf({ expirationTime: Date.now() + 600_000 }, getDHTTime())).toThrow(
      /looks like milliseconds/
    )
  })

  it('leaves open whether a ttl of two months is in milliseconds (R14)', () => {
    expect(() => expirationOf({ ttl: 60 * 86_400 }, now)).toThrow(
      /ttl 5184000 .* Store it for a shorter time, .* If this is in milliseconds, divide by 1000\.$/
    )
    expect(() => expirationOf({ ttl: 1e13 }, now)).toThrow(/again before it expires\.$/)
  })

  it('does not speak of milliseconds when it is merely too far (R14)', () => {
    const aYear = 365 * 24 * 60 * 60
    const ahead = `${aYear} seconds ahead, at most ${DEFAULT_LIMITS.maxTtl} are allowed. Store it for a shorter time, and store it again before it expires.`

    expect(() => expirationOf({ expirationTime: now + aYear }, now)).toThrow(ahead)
    expect(() => expirationOf({ ttl: aYear }, now)).toThrow(/^ttl 31536000 is/)
  })

  it.each<[string, Lifetime]>([
    ['an expirationTime', { expirationTime: now - 1 }],
    ['the present', { expirationTime: now }],
    ['1970', { expirationTime: 0 }],
    ['a ttl of nothing', { ttl: 0 }],
    ['a negative ttl', { ttl: -600 }]
  ])('accepts the past: %s (R14)', (_, lifetime) => {
    expect(expirationOf(lifetime, now)).toBeLessThanOrEqual(now)
  })

  it('takes what is before 1970 for 1970, and −0 for 0 (R14, R10)', () => {
    expect(expirationOf({ ttl: -2 * now }, now)).toBe(0)
    expect(expirationOf({ expirationTime: -5 }, now)).toBe(0)
    expect(expirationOf({ expirationTime: -0 }, now)).toBe(0)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'refuses %s, which is not a timestamp (R14)',
    (value) => {
      expect(() => expirationOf({ expirationTime: value }, now)).toThrow(InvalidExpirationError)
      expect(() => expirationOf({ ttl: value }, now)).toThrow(InvalidExpirationError)
      expect(() => expirationOf({ ttl: value }, now)).toThrow(/is not a (timestamp|duration)/)
    }
  )

  it('refuses both together, and neither (R14)', () => {
    expect(() => expirationOf({}, now)).toThrow(TypeError)
    expect(() => expirationOf({}, now)).toThrow(/is missing: give one, such as/)
    expect(() => expirationOf({ expirationTime: undefined, ttl: undefined }, now)).toThrow(
      /is missing: give one, such as/
    )
    expect(() => expirationOf({ expirationTime: now + 1, ttl: 1 } as never, now)).toThrow(TypeError)
    expect(() => expirationOf({ expirationTime: now + 1, ttl: 1 } as never, now)).toThrow(
      /not both$/
    )
  })

  it.each(['600', 600n, new Date(now), true, {}])(
    'refuses %s, which is not a number (R14)',
    (value) => {
      expect(() => expirationOf({ ttl: value } as unknown as Lifetime, now)).toThrow(
        /^ttl must be a number of seconds, got /
      )
      expect(() => expirationOf({ expirationTime: value } as unknown as Lifetime, now)).toThrow(
        TypeError
      )
    }
  )

  it('gives a timestamp that a record can have, or an InvalidExpirationError (R14)', () => {
    fc.assert(
      fc.property(fc.double(), fc.double({ min: 0, max: 2e9, noNaN: true }), (ttl, now) => {
        let moment: number

        try {
          moment = expirationOf({ ttl }, now)
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidExpirationError)
          return
        }

        expect(moment - now).toBeLessThanOrEqual(DEFAULT_LIMITS.maxTtl)
        expect(plainRecord(1, moment).plain?.expirationTime).toBe(moment)
      }),
      LAW
    )
  })
})

describe.each<[string, (expirationTime: number) => unknown]>([
  ['plainRecord', (time) => plainRecord(1, time).plain?.expirationTime],
  ['subkeyRecord', (time) => [...subkeyRecord('a', 1, time).subkeys.values()][0]?.expirationTime],
  ['tombstoneRecord', (time) => tombstoneRecord(time).plain?.expirationTime],
  [
    'tombstoneRecord of a subkey',
    (time) => [...tombstoneRecord(time, { subkey: 'a' }).subkeys.values()][0]?.expirationTime
  ]
])('%s', (_, expirationTimeOf) => {
  it('keeps the timestamp exactly, far ahead or long gone (R14)', () => {
    for (const moment of [0, 0.1, now, now + 0.25, 2 ** 53, 1e300]) {
      expect(expirationTimeOf(moment)).toBe(moment)
    }
  })

  it('treats −0 as 0, so that equal records have equal bytes (R10)', () => {
    expect(expirationTimeOf(-0)).toBe(0)
  })

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'refuses %s, which is not a timestamp (R14)',
    (time) => {
      expect(() => expirationTimeOf(time)).toThrow(InvalidExpirationError)
    }
  )

  it('refuses anything but a number (R14)', () => {
    expect(() => expirationTimeOf('5' as unknown as number)).toThrow(TypeError)
    expect(() => expirationTimeOf(undefined as unknown as number)).toThrow(TypeError)
  })
})

describe('getDHTTime', () => {
  it('is Unix seconds with a fraction, as in Hivemind (R14)', () => {
    const before = Date.now()
    const time = getDHTTime()

    expect(time * 1000).toBeGreaterThanOrEqual(before)
    expect(time * 1000).toBeLessThanOrEqual(Date.now())
  })
})
