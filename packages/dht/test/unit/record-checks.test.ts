import {
  type DHTRecord,
  encodeRecord,
  join,
  ownerTag,
  plainRecord,
  type RecordValidator,
  recordKey,
  subkeyRecord,
  ValidationError
} from '@waggle/record'
import { parseSubkeyId } from '@waggle/record/replica'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { VALIDATOR_TIMEOUT_MS } from '../../src/constants.ts'
import type { RecordChecks } from '../../src/store/record-checks.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import type { Received } from '../../src/store/validation.ts'
import { owner } from '../support/owners.ts'

const NOW = 1_000
const KEY = recordKey('party')

function checks(...validators: RecordValidator[]): RecordChecks {
  return new RecordStore({ clock: () => NOW, validators }).checks
}

function received(by: RecordChecks, record: DHTRecord) {
  return by.receive(KEY, encodeRecord(record), 'peer')
}

function party(...guests: string[]): DHTRecord {
  return guests
    .map((guest) => subkeyRecord(guest, 'yes', NOW + 60))
    .reduce((all, one) => join(all, one))
}

/** Lists the remaining subkeys of a dictionary. */
function guests({ record }: Received): unknown[] {
  return Array.from(record.subkeys.keys(), parseSubkeyId)
}

function only(...welcome: unknown[]): RecordValidator {
  return { name: 'door', validate: ({ subkey }) => welcome.includes(subkey) || 'not invited' }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('RecordChecks.receive', () => {
  it('gives what a record holds, at once, without validators and with quick ones', async () => {
    const alice = await owner(1)
    const signed = await alice.sign('party', subkeyRecord(alice.tag, 'yes', NOW + 60))
    const record = join(signed, party('bob'))

    for (const by of [checks(), checks({ validate: () => true })]) {
      expect(received(by, record)).toStrictEqual({ record, refusals: [] })
    }
  })

  it('throws at once for a forged signature (R15)', () => {
    const forged = subkeyRecord(
      ownerTag('12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'),
      1,
      NOW + 60
    )

    expect(() => received(checks(), forged)).toThrow(ValidationError)
  })

  it('leaves out what validators refuse, and nothing else', () => {
    const of = received(checks(only('alice', 'carol')), party('alice', 'bob', 'carol')) as Received

    expect(guests(of)).toEqual(['bob', 'alice', 'carol'].filter((guest) => guest !== 'bob'))
    expect(of.refusals).toEqual(['door: not invited'])
  })

  it('leaves nothing of what is refused whole', () => {
    expect(received(checks(only()), plainRecord(1, NOW + 60))).toMatchObject({
      record: { subkeys: new Map() },
      refusals: ['door: not invited']
    })
  })

  it.each<[string, RecordValidator['validate']]>([
    ['throws', ({ subkey }) => subkey !== 'bob' || raise('broken')],
    ['rejects', async ({ subkey }) => subkey !== 'bob' || raise('broken')]
  ])('leaves out what a validator %s for, and nothing else', async (_, validate) => {
    const of = await received(checks({ name: 'v', validate }), party('alice', 'bob'))

    expect(guests(of)).toEqual(['alice'])
    expect(of.refusals).toEqual(['v failed: broken'])
  })

  it('leaves out what a validator never answers about, and nothing else', async () => {
    vi.useFakeTimers()
    const validate: RecordValidator['validate'] = ({ subkey }) =>
      subkey === 'bob' ? new Promise<never>(() => {}) : true
    const pending = Promise.resolve(
      received(checks({ name: 'v', validate }), party('alice', 'bob'))
    )
    let isDone = false
    void pending.then(() => {
      isDone = true
    })

    await vi.advanceTimersByTimeAsync(VALIDATOR_TIMEOUT_MS - 1)
    expect(isDone).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    const of = await pending
    expect(guests(of)).toEqual(['alice'])
    expect(of.refusals[0]).toMatch(/^v failed: no answer within 1000 ms/)
  })

  it('has a dictionary judged by all subkeys at once, however long each takes', async () => {
    vi.useFakeTimers()
    const validate = () => new Promise<boolean>((resolve) => setTimeout(resolve, 900, true))
    const pending = received(checks({ validate }), party('alice', 'bob', 'carol'))

    await vi.advanceTimersByTimeAsync(900)
    expect(guests(await pending)).toHaveLength(3)
  })

  it('lets other work have its turn while it verifies many signatures (N9f)', async () => {
    const alice = await owner(1)
    const places = Array.from({ length: 500 }, (_, i) =>
      subkeyRecord(`${alice.tag}${i}`, i, NOW + 60)
    )
    const many = await alice.sign(
      'party',
      places.reduce((all, one) => join(all, one))
    )
    const by = checks()
    let turns = 0
    let isDone = false
    const count = (): void => {
      turns++

      if (!isDone) {
        setTimeout(count)
      }
    }

    count()
    const { record } = await received(by, many)
    isDone = true
    expect(record).toStrictEqual(many)
    expect(turns).toBeGreaterThan(2)
  })

  it('refuses the whole when the last of many signatures is forged (R15)', async () => {
    const alice = await owner(1)
    const places = Array.from({ length: 300 }, (_, i) =>
      subkeyRecord(`${alice.tag}${100 + i}`, i, NOW + 60)
    )
    const many = await alice.sign(
      'party',
      places.reduce((all, one) => join(all, one))
    )
    const ids = [...many.subkeys.keys()]
    const forged = new Map(many.subkeys)
    const last = ids.at(-1) as string
    forged.set(last, { ...many.subkeys.get(last), expirationTime: NOW + 61 })

    await expect((async () => received(checks(), { subkeys: forged }))()).rejects.toThrow(
      ValidationError
    )
  })
})

describe('RecordChecks.show', () => {
  const shown = (by: RecordChecks, record: DHTRecord) => by.show(KEY, record)

  it('shows what no validator refuses, at once', () => {
    expect(shown(checks(), plainRecord('x', NOW + 60))).toEqual({
      value: 'x',
      expirationTime: NOW + 60
    })
    expect(shown(checks(only('alice')), party('alice', 'bob'))).toEqual({
      value: new Map([['alice', { value: 'yes', expirationTime: NOW + 60 }]]),
      expirationTime: NOW + 60
    })
    expect(shown(checks(only()), party('alice'))).toBeUndefined()
  })

  it('refuses from now on what a validator refuses that was added later', () => {
    const by = checks()
    const record = party('alice', 'bob')
    expect(shown(by, record)).toBeDefined()

    by.addValidators([only('alice')])
    expect(shown(by, record)).toMatchObject({ value: new Map([['alice', expect.anything()]]) })
    by.addValidators([only('bob')])
    expect(shown(by, record)).toBeUndefined()
  })

  it('refuses nothing any more when every DHT has taken its validator back', () => {
    const validator = only('alice')
    const by = checks(validator)
    const record = party('bob')
    by.addValidators([validator])

    by.removeValidators([validator])
    expect(shown(by, record)).toBeUndefined()
    by.removeValidators([validator])
    expect(shown(by, record)).toBeDefined()
  })

  it('asks a validator once about an entry that is accepted', () => {
    const validate = vi.fn(() => true)
    const by = checks({ validate })
    const { record } = received(by, party('alice', 'bob')) as Received

    shown(by, record)
    shown(by, join(record, party('carol')))
    expect(validate).toHaveBeenCalledTimes(3)
  })

  it('shows values as they were before validators signed them', async () => {
    const marking: RecordValidator = {
      validate: () => true,
      strip: ({ value }) => String(value).slice(1)
    }

    expect(await shown(checks(marking), plainRecord('!x', NOW + 60))).toEqual({
      value: 'x',
      expirationTime: NOW + 60
    })
  })

  it('shows no value that can not be stripped', async () => {
    const failing: RecordValidator = {
      validate: () => true,
      strip: ({ subkey, value = null }) => (subkey === 'bob' ? raise('broken') : value)
    }

    expect(await shown(checks(failing), party('alice', 'bob'))).toMatchObject({
      value: new Map([['alice', { value: 'yes', expirationTime: NOW + 60 }]])
    })
  })
})

function raise(message: string): never {
  throw new Error(message)
}
