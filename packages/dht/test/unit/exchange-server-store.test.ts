import type { PeerInfo } from '@libp2p/interface'
import {
  type DHTRecord,
  encodeRecord,
  join,
  plainRecord,
  recordKey,
  subkeyRecord
} from '@waggle/record'
import { DEFAULT_LIMITS } from '@waggle/record/replica'
import { describe, expect, it, vi } from 'vitest'
import type { StoredReply, StoreRequest } from '../../src/exchange/messages.ts'
import { NearPeers } from '../../src/peers/near-peers.ts'
import {
  MAX_KEYS_PER_MESSAGE,
  MAX_MESSAGE_BYTES,
  TARGET_MESSAGE_BYTES
} from '../../src/wire/limits.ts'
import { encodePeer } from '../../src/wire/peer-codec.ts'
import { turns } from '../support/end-of-turn.ts'
import {
  contact,
  encodedWrite,
  findRequest,
  NOW,
  recordOf,
  type Serving,
  serving,
  storeRequest
} from '../support/exchange-serving.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { recordIn } from '../support/find-answers.ts'
import { peerNumber } from '../support/numbered-peers.ts'

const source = useStreamSource()

async function stored({ talker }: Serving, request: StoreRequest): Promise<StoredReply> {
  talker.say(request)
  return talker.hear('stored')
}

async function outcomes(server: Serving, request: StoreRequest): Promise<string[]> {
  return (await stored(server, request)).answers.map(({ outcome }) => outcome)
}

const good = encodeRecord(recordOf('good'))

const LARGE_VALUE = encodeRecord(
  plainRecord(new Uint8Array(2 ** 19), NOW + 60, { ...DEFAULT_LIMITS, maxValueBytes: 2 ** 20 })
)

describe('a STORE', () => {
  it('is held, and answered write by write (N3, N6)', async () => {
    const server = await serving(source, { known: [contact(1), contact(2)] })
    const writes = [
      ['a', recordOf('A')],
      ['b', recordOf('B')]
    ] as const

    expect(await stored(server, storeRequest(writes, { id: 5, closerCount: 2 }))).toEqual({
      name: 'stored',
      id: 5,
      peers: [contact(1), contact(2)].map(encodePeer),
      answers: [
        { outcome: 'accepted', closer: [0, 1] },
        { outcome: 'accepted', closer: [0, 1] }
      ]
    })
    expect(server.store.get(recordKey('a'))).toEqual(recordOf('A'))
    expect(server.store.get(recordKey('b'))).toEqual(recordOf('B'))
    expect(server.store.records).toBe(2)
  })

  it('is named no peers that the writer knows already, if these are all (N4)', async () => {
    const asker = peerNumber(3)
    const known = [contact(1), { id: asker, multiaddrs: [] }, contact(2), contact(4)]
    const server = await serving(source, { known, asker })
    const named = async (all: readonly PeerInfo[]): Promise<unknown> => {
      const routing = { nearest: (_: unknown, count: number) => all.slice(0, count) }
      const digest = new NearPeers(routing, recordKey('key'), 2).digestBesides(peerNumber(0))
      const write = { ...encodedWrite(recordKey('key'), good), known: digest }
      const request = { ...storeRequest([], { closerCount: 2 }), writes: [write] }
      const { answers, peers } = await stored(server, request)
      return answers[0]?.closer === 'known' ? 'known' : peers
    }

    expect(await named([contact(1), contact(2), contact(4)])).toBe('known')
    expect(await named([contact(2), contact(1)])).toBe('known')
    expect(await named([contact(1), contact(4)])).toEqual([contact(1), contact(2)].map(encodePeer))
    expect(await named([contact(1)])).toEqual([contact(1), contact(2)].map(encodePeer))
  })

  it('is joined with what is held, in the same message, too (N2)', async () => {
    const server = await serving(source)
    const parts = [1, 2, 3].map((n) => subkeyRecord(n, `value ${n}`, NOW + 60))
    const request = storeRequest(parts.map((part) => ['dictionary', part] as const))

    expect(await outcomes(server, request)).toEqual(['accepted', 'accepted', 'accepted'])
    expect(server.store.get(recordKey('dictionary'))).toEqual(
      parts.reduce((all, part) => join(all, part))
    )
  })

  it("gets 'stale' for what is beaten, and 'accepted' for what is held already (R2, R3)", async () => {
    const server = await serving(source)
    const newer = plainRecord('newer', NOW + 100)
    const older = plainRecord('older', NOW + 50)

    expect(
      await outcomes(
        server,
        storeRequest([
          ['key', newer],
          ['key', older],
          ['key', newer]
        ])
      )
    ).toEqual(['accepted', 'stale', 'accepted'])
    expect(server.store.get(recordKey('key'))).toEqual(newer)
  })

  it("says with 'stale' what beats it, and only that (N6)", async () => {
    const server = await serving(source)
    const [alice, bob] = ['alice', 'bob'].map((name) => subkeyRecord(name, 'later', NOW + 100))
    const request = storeRequest([
      ['party', alice as DHTRecord],
      ['party', bob as DHTRecord],
      ['party', subkeyRecord('bob', 'earlier', NOW + 50)]
    ])
    const [, , beaten] = (await stored(server, request)).answers

    expect(beaten).toEqual({
      outcome: 'stale',
      winner: encodeRecord(bob as DHTRecord),
      closer: []
    })
  })

  it("says with 'stale' no more than fits into a message (N6, N9d)", async () => {
    const server = await serving(source)
    const names = ['a', 'b']
    const value = new Uint8Array(0.6 * TARGET_MESSAGE_BYTES)

    for (const name of names) {
      server.store.apply(recordKey(name), plainRecord(value, NOW + 100))
    }

    const writes = names.map((name) => [name, plainRecord(1, NOW + 50)] as const)
    const { answers } = await stored(server, storeRequest(writes))

    expect(answers.map((answer) => 'winner' in answer && answer.winner?.length)).toEqual([
      encodeRecord(plainRecord(value, NOW + 100)).length,
      undefined
    ])
  })

  it("gets 'full' where there is no room, which changes nothing (N7, R12)", async () => {
    const server = await serving(source, { maxRecords: 1 })
    const writes = [
      ['late', plainRecord(1, NOW + 200)],
      ['early', plainRecord(1, NOW + 100)]
    ] as const

    expect(await outcomes(server, storeRequest(writes))).toEqual(['accepted', 'full'])
    expect(server.store.records).toBe(1)
  })

  it.each([
    ['no record', Uint8Array.of(1, 2, 3)],
    ['nothing', new Uint8Array()],
    ['a record with a byte too many', Uint8Array.from([...good, 0])],
    ['a record that lacks its last byte', good.subarray(0, -1)]
  ])("gets 'invalid' for %s, and no harm for its neighbours (N9a, R10)", async (_, record) => {
    const server = await serving(source)
    const key = recordKey('key')
    const neighbour = encodedWrite(recordKey('neighbour'), good)
    const request = {
      ...storeRequest([]),
      writes: [neighbour, encodedWrite(key, record), neighbour]
    }

    expect(await outcomes(server, request)).toEqual(['accepted', 'invalid', 'accepted'])
    expect(server.store.records).toBe(1)
    expect(server.store.encoded(key)).toBeUndefined()
  })

  it.each([
    ['a value', 'key', LARGE_VALUE],
    ['a time to live', 'key', encodeRecord(plainRecord(1, NOW + 31 * 86_400))],
    ['a key', 'k'.repeat(2000), good]
  ])(
    "gets 'refused' for %s beyond this node's limits, which breaks no rule (N13l, R12, R14)",
    async (_, key, record) => {
      const server = await serving(source)
      const write = encodedWrite(recordKey(key, { ...DEFAULT_LIMITS, maxKeyBytes: 5000 }), record)

      expect(await outcomes(server, { ...storeRequest([]), writes: [write] })).toEqual(['refused'])
      expect(server.store.records).toBe(0)
    }
  )

  it.each([
    ['nothing', new Uint8Array()],
    ['another namespace', new TextEncoder().encode('/other/key')],
    ['the namespace alone', new TextEncoder().encode('/waggle/')],
    ['bytes that are no key', Uint8Array.from([...recordKey('key'), 0xff, 0xff])]
  ])("gets 'invalid' for the key that is %s (N9a)", async (_, key) => {
    const server = await serving(source)
    const request = { ...storeRequest([]), writes: [encodedWrite(key, good)] }

    expect(await outcomes(server, request)).toEqual(['invalid'])
    expect(server.store.records).toBe(0)
  })

  it("gets 'expired' for what has expired on the way, which is no offence (R1, R6)", async () => {
    const server = await serving(source)
    const late = [NOW - 1, NOW].map((time, i) => [`key ${i}`, plainRecord(1, time)] as const)

    expect(await outcomes(server, storeRequest(late))).toEqual(['expired', 'expired'])
    expect(server.store.records).toBe(0)
  })

  it('of as many writes as a message may have is answered whole (N4, N9d)', async () => {
    const server = await serving(source, { known: [contact(1)] })
    const keys = Array.from({ length: MAX_KEYS_PER_MESSAGE }, (_, i) => `key ${i}`)
    const request = storeRequest(keys.map((key) => [key, recordOf(key)] as const))

    expect(await outcomes(server, request)).toEqual(keys.map(() => 'accepted'))
    expect(server.store.records).toBe(keys.length)
  })

  it('leaves nothing of its message in memory but the records (N7, N9d)', async () => {
    const server = await serving(source)
    const keys = Array.from({ length: 100 }, (_, i) => `key ${i}`)
    await stored(server, storeRequest(keys.map((key) => [key, recordOf(key, 1000)] as const)))

    for (const key of keys) {
      const value = server.store.get(recordKey(key)).plain?.value
      expect(value?.length).toBeGreaterThan(1000)
      expect(value?.buffer.byteLength).toBeLessThan(2000)
    }
  })
})

describe('an asker that does not read', () => {
  it('makes the server hold little, and is answered in full when it reads again (N9e)', {
    timeout: 120_000
  }, async () => {
    const server = await serving(source)
    const { store, stream, talker } = server
    const count = 1000
    const record = recordOf('large', 200 * 1024)
    store.apply(recordKey('large'), record)
    talker.stream.pause()
    const reads = vi.spyOn(store, 'encoded')

    for (let id = 0; id < count; id++) {
      talker.say(findRequest(['large'], { id }))
    }

    await turns(100)
    expect(stream.writeBufferLength).toBeLessThan(4 * TARGET_MESSAGE_BYTES)
    expect(stream.readBufferLength).toBeLessThan(MAX_MESSAGE_BYTES)
    expect(reads.mock.calls.length).toBeLessThan(0.2 * count)

    let peakBytes = 0
    const watching = setInterval(() => {
      peakBytes = Math.max(peakBytes, stream.writeBufferLength)
    }, 1)
    talker.stream.resume()

    try {
      for (let id = 0; id < count; id++) {
        const reply = await talker.hear('found')
        expect(reply.id).toBe(id)
        expect(recordIn(reply.answers[0])).toHaveLength(encodeRecord(record).length)
      }
    } finally {
      clearInterval(watching)
    }

    expect(peakBytes).toBeLessThan(4 * TARGET_MESSAGE_BYTES)
  })

  it('does not keep others waiting (N8b, N9f)', async () => {
    const blocked = await serving(source)
    const other = await serving(source)
    blocked.store.apply(recordKey('large'), recordOf('large', 200 * 1024))
    blocked.talker.stream.pause()

    for (let id = 0; id < 100; id++) {
      blocked.talker.say(findRequest(['large'], { id }))
    }

    await turns(100)
    expect(await outcomes(other, storeRequest([['a', recordOf('a')]]))).toEqual(['accepted'])
  })

  it.each([
    ['resets the stream', ({ talker }: Serving) => talker.stream.abort(new Error('enough'))],
    ['closes the stream', ({ talker }: Serving) => talker.stream.close()]
  ])('and then %s ends it here, too (N9c)', async (_, leave) => {
    const server = await serving(source)
    server.store.apply(recordKey('large'), recordOf('large', 200 * 1024))
    server.talker.stream.pause()

    for (let id = 0; id < 100; id++) {
      server.talker.say(findRequest(['large'], { id }))
    }

    await turns(100)
    const ended = new Promise((resolve) => server.stream.addEventListener('close', resolve))
    await leave(server)
    await ended
    expect(['aborted', 'reset']).toContain(server.stream.status)
  })
})
