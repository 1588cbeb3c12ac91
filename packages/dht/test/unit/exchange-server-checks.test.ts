import {
  type DHTRecord,
  join,
  plainRecord,
  type RecordValidator,
  recordKey,
  subkeyRecord,
  tombstoneRecord
} from '@waggle/record'
import { subkeyId } from '@waggle/record/replica'
import { describe, expect, it } from 'vitest'
import type { StoreRequest } from '../../src/exchange/messages.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import {
  findRequest,
  NOW,
  type Serving,
  serving,
  storeRequest
} from '../support/exchange-serving.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { manualClock } from '../support/manual-clock.ts'
import { owner } from '../support/owners.ts'

const alice = await owner(1)
const bob = await owner(2)
const source = useStreamSource()

async function outcomes({ talker }: Serving, request: StoreRequest): Promise<string[]> {
  talker.say(request)
  return (await talker.hear('stored')).answers.map(({ outcome }) => outcome)
}

async function outcome(server: Serving, key: string, record: DHTRecord): Promise<string> {
  const [first = 'none'] = await outcomes(server, storeRequest([[key, record]]))
  return first
}

const yes = (subkey: string, time = NOW + 60): DHTRecord => subkeyRecord(subkey, 'yes', time)

describe('an owned place at a replica', () => {
  it("takes what its owner signed, and gets 'invalid' for all else (R15)", async () => {
    const server = await serving(source)
    const key = `profile/${alice.tag}`
    const mine = await alice.sign(key, plainRecord('x', NOW + 60))
    const unsigned = plainRecord('y', NOW + 70)
    const another = await bob.sign('party', yes(bob.tag, NOW + 70))
    const borrowed = {
      ...unsigned,
      plain: { expirationTime: 0, ...unsigned.plain, ...signatureOf(another) }
    }

    expect(await outcome(server, key, mine)).toBe('accepted')
    expect(await outcome(server, key, unsigned)).toBe('invalid')
    expect(await outcome(server, key, borrowed)).toBe('invalid')
    expect(await outcome(server, key, tombstoneRecord(NOW + 70))).toBe('invalid')
    expect(await outcome(server, key, yes('friend'))).toBe('invalid')
    expect(server.store.get(recordKey(key))).toStrictEqual(mine)
  })

  it('does no harm to its neighbours in a message when it is forged (R15, N9a)', async () => {
    const server = await serving(source)
    const mine = await alice.sign('party', yes(alice.tag))
    const request = storeRequest([
      ['party', mine],
      ['party', yes(bob.tag)],
      ['party', yes('carol')]
    ])

    expect(await outcomes(server, request)).toEqual(['accepted', 'invalid', 'accepted'])
    expect(server.store.get(recordKey('party'))).toStrictEqual(join(mine, yes('carol')))
  })

  it('outlives a later plain value of a stranger, which evicts nothing (R16, R6)', async () => {
    const server = await serving(source)
    const mine = await alice.sign('party', yes(alice.tag))
    expect(await outcome(server, 'party', mine)).toBe('accepted')

    expect(await outcome(server, 'party', plainRecord('wiped', NOW + 1000))).toBe('stale')
    expect(await outcome(server, 'party', tombstoneRecord(NOW + 1000))).toBe('stale')
    expect(await outcome(server, 'party', tombstoneRecord(NOW + 99, { subkey: alice.tag }))).toBe(
      'invalid'
    )
    expect(server.store.get(recordKey('party'))).toStrictEqual(mine)
  })

  it('is not taken back to what its owner replaced or deleted (R2, R15)', async () => {
    const server = await serving(source)
    const first = await alice.sign('party', yes(alice.tag))
    const second = await alice.sign('party', yes(alice.tag, NOW + 70))
    const deleted = await alice.sign('party', tombstoneRecord(NOW + 80, { subkey: alice.tag }))

    expect(await outcome(server, 'party', first)).toBe('accepted')
    expect(await outcome(server, 'party', second)).toBe('accepted')
    expect(await outcome(server, 'party', first)).toBe('stale')
    expect(await outcome(server, 'party', deleted)).toBe('accepted')
    expect(await outcome(server, 'party', second)).toBe('stale')
    expect(server.store.get(recordKey('party'))).toStrictEqual(deleted)
  })

  it('is checked in copies, too (R15)', async () => {
    const cache = new RecordStore({ clock: manualClock(NOW) })
    const server = await serving(source, { copies: cache })
    const request = storeRequest([['party', yes(alice.tag)]], { isCacheOnly: true })

    expect(await outcomes(server, request)).toEqual(['invalid'])
    expect(cache.records).toBe(0)
  })

  it('is taken in when there are hundreds in one record, one answer after the other (R15, N9f)', async () => {
    const server = await serving(source)
    const places = Array.from({ length: 400 }, (_, i) => yes(`${alice.tag}${i}`))
    const crowd = await alice.sign(
      'party',
      places.reduce((all, one) => join(all, one))
    )
    const requests = [1, 2].map((id) => storeRequest([['party', crowd]], { id }))
    server.talker.say(...requests, findRequest(['elsewhere'], { id: 3 }))

    // A request that needs no time does not wait.
    expect((await server.talker.hear('found')).id).toBe(3)
    expect((await server.talker.hear('stored')).answers[0]?.outcome).toBe('accepted')
    expect((await server.talker.hear('stored')).answers[0]?.outcome).toBe('accepted')
    expect(server.store.get(recordKey('party')).subkeys.size).toBe(400)
  })
})

describe('a replica with validators', () => {
  const noBob: RecordValidator = {
    validate: ({ subkey, value }) => subkey !== 'bob' && value !== 'bob'
  }

  it("answers 'refused' to what they refuse, and takes in its neighbours", async () => {
    const server = await serving(source, { validators: [noBob] })
    const request = storeRequest([
      ['party', yes('alice')],
      ['party', yes('bob')],
      ['host', plainRecord('bob', NOW + 60)]
    ])

    expect(await outcomes(server, request)).toEqual(['accepted', 'refused', 'refused'])
    expect(server.store.get(recordKey('party'))).toStrictEqual(yes('alice'))
    expect(server.store.records).toBe(1)
  })

  it('takes in the rest of a dictionary that it is handed over', async () => {
    const server = await serving(source, { validators: [noBob] })

    expect(await outcome(server, 'party', join(yes('alice'), yes('bob')))).toBe('accepted')
    expect([...server.store.get(recordKey('party')).subkeys.keys()]).toEqual([subkeyId('alice')])
  })

  it('goes on answering while one of them takes its time, and then answers (N9f)', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const validate: RecordValidator['validate'] = ({ subkey }) =>
      subkey === 'slow' ? promise : true
    const server = await serving(source, { validators: [{ validate }] })

    server.talker.say(
      storeRequest([['party', yes('slow')]], { id: 1 }),
      storeRequest([['party', yes('quick')]], { id: 2 }),
      findRequest(['party'], { id: 3 })
    )
    expect((await server.talker.hear('stored')).id).toBe(2)
    expect((await server.talker.hear('found')).id).toBe(3)
    expect(server.store.get(recordKey('party'))).toStrictEqual(yes('quick'))

    resolve(true)
    expect(await server.talker.hear('stored')).toMatchObject({
      id: 1,
      answers: [{ outcome: 'accepted' }]
    })
    expect(server.store.get(recordKey('party'))).toStrictEqual(join(yes('quick'), yes('slow')))
  })

  it('refuses what one of them never answers about, and that alone (N9a)', async () => {
    const validate: RecordValidator['validate'] = ({ subkey }) =>
      subkey === 'never' ? new Promise<never>(() => {}) : subkey !== 'throw' || raise()
    const server = await serving(source, { validators: [{ validate }] })
    const request = storeRequest([
      ['party', yes('never')],
      ['party', yes('throw')],
      ['party', yes('alice')]
    ])

    expect(await outcomes(server, request)).toEqual(['refused', 'refused', 'accepted'])
  })
})

function signatureOf({ subkeys }: DHTRecord): { signature?: Uint8Array } {
  const [{ signature } = {}] = subkeys.values()
  return signature === undefined ? {} : { signature }
}

function raise(): never {
  throw new Error('broken')
}
