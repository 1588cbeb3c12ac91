import {
  type DHTRecord,
  encodeRecord,
  join,
  plainRecord,
  recordKey,
  subkeyRecord
} from '@waggle/record'
import { DEFAULT_LIMITS, subkeyId } from '@waggle/record/replica'
import { equals } from 'uint8arrays/equals'
import { describe, expect, it, vi } from 'vitest'
import type { FoundReply, Message } from '../../src/exchange/messages.ts'
import { digestOf } from '../../src/store/record-digest.ts'
import {
  MAX_ADDRESS_BYTES,
  MAX_ADDRESSES_PER_PEER,
  MAX_KEYS_PER_MESSAGE,
  MAX_MESSAGE_BYTES,
  TARGET_MESSAGE_BYTES
} from '../../src/wire/limits.ts'
import { encodePeer } from '../../src/wire/peer-codec.ts'
import { fieldsOf } from '../support/encoded-peers.ts'
import {
  contact,
  findRequest,
  NOW,
  recordOf,
  type Serving,
  serving,
  storeRequest
} from '../support/exchange-serving.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { encoded, frameOf, headOf } from '../support/exchange-talker.ts'
import { findKey, held as heldBy, nothing, recordIn } from '../support/find-answers.ts'
import { PATIENCE } from '../support/libp2p-node.ts'

const source = useStreamSource()

function hold({ store }: Serving, key: string, record = recordOf(key)): void {
  expect(store.apply(recordKey(key), record)).toMatchObject({ isAccepted: true })
}

async function asked({ talker }: Serving, ...questions: Message[]): Promise<FoundReply> {
  talker.say(...questions)
  return talker.hear('found')
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `key ${i}`)
}

describe('a FIND', () => {
  it('is answered with the records that are held, in the order of the keys (N3, N4)', async () => {
    const server = await serving(source)
    hold(server, 'a')
    hold(server, 'c')

    expect(await asked(server, findRequest(['a', 'b', 'c', 'a'], { id: 77 }))).toEqual({
      name: 'found',
      id: 77,
      peers: [],
      answers: [
        heldBy(encodeRecord(recordOf('a'))),
        nothing(),
        heldBy(encodeRecord(recordOf('c'))),
        heldBy(encodeRecord(recordOf('a')))
      ]
    })
  })

  it('is answered with the subkeys that are wanted, and with what erases them (R4)', async () => {
    const server = await serving(source)
    const parts = ['a', 'b', 'c'].map((name) => subkeyRecord(name, name, NOW + 60))
    const plain = plainRecord('hidden', NOW + 30)

    for (const part of [plain, ...parts]) {
      hold(server, 'party', part)
    }

    const subkeys = ['b', 'x'].map((name) => subkeyId(name))
    const key = { ...findKey(recordKey('party')), subkeys }
    const { answers } = await asked(server, findRequest([], { keys: [key] }))

    expect(answers).toEqual([heldBy(encodeRecord(join(plain, parts[1] as DHTRecord)))])
  })

  it('is answered without the record where that is known (N3)', async () => {
    const server = await serving(source, { known: [contact(1)] })
    hold(server, 'a')
    hold(server, 'b')
    const keys = ['a', 'b', 'c'].map((name) => ({
      ...findKey(recordKey(name)),
      digest: digestOf(recordOf('a'))
    }))

    expect((await asked(server, findRequest([], { keys }))).answers).toEqual([
      { standing: 'same', closer: [] },
      heldBy(encodeRecord(recordOf('b'))),
      nothing([0])
    ])
  })

  it('is answered that nobody holds a key by a settled replica alone (N5)', async () => {
    const replicated = recordKey('replicated')
    let isSettled = true
    const server = await serving(source, {
      isSettled: () => isSettled,
      isReplicaOf: (key) => equals(key, replicated),
      known: [contact(1)]
    })
    const standings = async (): Promise<unknown[]> => {
      const { answers } = await asked(server, findRequest(['replicated', 'other']))
      return answers.map(({ standing, closer }) => [standing, closer])
    }

    expect(await standings()).toEqual([
      ['absent', [0]],
      ['nothing', [0]]
    ])

    isSettled = false

    expect(await standings()).toEqual([
      ['nothing', [0]],
      ['nothing', [0]]
    ])
  })

  it('is not answered with what has expired (R1)', async () => {
    const server = await serving(source)
    const clock = server.store.clock as unknown as { time: number }
    hold(server, 'a')
    clock.time = NOW + 3600

    expect((await asked(server, findRequest(['a']))).answers).toEqual([nothing()])
  })

  it('names near peers where nothing is held, and elsewhere only if they are wanted (N4)', async () => {
    const known = [0, 1, 2].map((n) => contact(n))
    const server = await serving(source, { known })
    hold(server, 'held')
    const keys = ['held', 'not held']
    const answers = async (differences: object): Promise<number[][]> => {
      const reply = await asked(server, findRequest(keys, differences))
      return reply.answers.map(({ closer }) => [...closer])
    }

    expect(await answers({ closerCount: 2 })).toEqual([[], [0, 1]])
    expect(await answers({ closerCount: 2, isCloserAlways: true })).toEqual([
      [0, 1],
      [0, 1]
    ])
    expect(await answers({ closerCount: 20 })).toEqual([[], [0, 1, 2]])
    expect(await answers({ closerCount: 0, isCloserAlways: true })).toEqual([[], []])
  })

  it('introduces each peer once, never the asker and nobody without an address (N4)', async () => {
    const [asker, nowhere] = [contact(7), contact(8, [])]
    const known = [asker, contact(1), nowhere, contact(2)]
    const server = await serving(source, { known, asker: asker.id })
    const { peers, answers } = await asked(server, findRequest(['a', 'b', 'c']))

    expect(peers).toEqual([contact(1), contact(2)].map(encodePeer))
    expect(answers).toEqual([1, 2, 3].map(() => nothing([0, 1])))
  })

  it('gives of one peer no more addresses, and no longer ones, than a message may have (N9d)', async () => {
    const long = `/dns/${'a'.repeat(MAX_ADDRESS_BYTES)}/tcp/1`
    const many = names(MAX_ADDRESSES_PER_PEER + 5).map((_, i) => `/ip4/10.0.0.1/tcp/${i + 1}`)
    const server = await serving(source, { known: [contact(1, [long, ...many])] })
    const { peers } = await asked(server, findRequest(['a']))

    expect(peers.map((peer) => fieldsOf(peer).addresses)).toEqual([
      contact(1, many.slice(0, MAX_ADDRESSES_PER_PEER)).multiaddrs.map(({ bytes }) => bytes)
    ])
  })

  it('is answered with no more peers than a message may introduce (N9d)', async () => {
    const crowd = Array.from({ length: 2000 }, (_, n) => contact(n))
    const server = await serving(source, { crowd })
    const keys = names(90)
    const { peers, answers } = await asked(server, findRequest(keys, { closerCount: 20 }))

    expect(peers).toHaveLength(1024)
    expect(answers).toHaveLength(90)
    expect(answers.flatMap(({ closer }) => closer)).toEqual(peers.map((_, place) => place))
  })

  it('is answered in a message of its size, however large the addresses of peers are (N9d)', async () => {
    const long = Array.from(
      { length: MAX_ADDRESSES_PER_PEER },
      (_, i) => `/dns/${'a'.repeat(MAX_ADDRESS_BYTES - 20)}${i}/tcp/1`
    )
    const crowd = Array.from({ length: 1000 }, (_, n) => contact(n, long))
    const server = await serving(source, { crowd })
    const { peers, answers } = await asked(server, findRequest(names(50), { closerCount: 20 }))

    expect(answers).toHaveLength(50)
    expect(peers.length).toBeGreaterThan(20)
    expect(server.talker.sizes[0]).toBeLessThan(1.1 * TARGET_MESSAGE_BYTES)
  })

  it('of many large records is answered in part, in messages of bounded size (N4, N9d)', {
    timeout: 120_000
  }, async () => {
    const server = await serving(source)
    const keys = names(MAX_KEYS_PER_MESSAGE)
    const found: (Uint8Array | undefined)[] = []

    for (const key of keys) {
      hold(server, key, recordOf(key, 100 * 1024))
    }

    while (found.length < keys.length) {
      const { answers } = await asked(server, findRequest(keys.slice(found.length)))
      found.push(...answers.map(recordIn))
    }

    for (const [i, key] of keys.entries()) {
      expect(Buffer.compare(found[i] ?? Buffer.of(), encodeRecord(recordOf(key, 102_400)))).toBe(0)
    }

    expect(Math.max(...server.talker.sizes)).toBeLessThanOrEqual(TARGET_MESSAGE_BYTES + 100)
    expect(server.talker.sizes).toHaveLength(keys.length / 2)
  })

  it('of a record beyond the target size is answered with that alone (N9d)', async () => {
    const limits = { ...DEFAULT_LIMITS, maxValueBytes: 2 ** 20 }
    const server = await serving(source, { limits })
    const large = plainRecord(new Uint8Array(900 * 1024), NOW + 60, limits)
    hold(server, 'large', large)
    hold(server, 'small')

    const first = await asked(server, findRequest(['small', 'large']))
    const second = await asked(server, findRequest(['large', 'small']))
    expect(first.answers).toEqual([heldBy(encodeRecord(recordOf('small')))])
    expect(second.answers).toHaveLength(1)
    expect(Buffer.compare(recordIn(second.answers[0]) ?? Buffer.of(), encodeRecord(large))).toBe(0)
    expect(Math.max(...server.talker.sizes)).toBeLessThan(MAX_MESSAGE_BYTES)
  })

  it('may ask for what is no record key, of which nothing is held', async () => {
    const server = await serving(source, { known: [contact(1)] })
    const keys = [new Uint8Array(), Uint8Array.of(1, 2, 3)]

    expect((await asked(server, findRequest([], { keys: keys.map(findKey) }))).answers).toEqual([
      nothing([0]),
      nothing([0])
    ])
  })
})

describe('questions', () => {
  it('that come together are all answered, in their order', async () => {
    const server = await serving(source)
    hold(server, 'a')
    const count = 500
    const questions = Array.from({ length: count }, (_, id) => findRequest(['a'], { id }))
    server.talker.say(...questions)

    for (let id = 0; id < count; id++) {
      expect((await server.talker.hear('found')).id).toBe(id)
    }
  })

  it('that come byte by byte are answered as any others', async () => {
    const server = await serving(source)
    hold(server, 'a')

    for (const byte of frameOf(encoded(findRequest(['a'])))) {
      server.talker.sayBytes(Uint8Array.of(byte))
      await vi.waitUntil(() => server.talker.stream.writeBufferLength === 0, PATIENCE)
    }

    expect((await server.talker.hear('found')).answers).toHaveLength(1)
  })

  it('with the same id are answered each (N3)', async () => {
    const server = await serving(source)
    hold(server, 'a')
    server.talker.say(findRequest(['a']), findRequest(['b']))

    expect((await server.talker.hear('found')).answers[0]).toHaveProperty('record')
    expect((await server.talker.hear('found')).answers[0]).toEqual(nothing())
  })
})

describe('an asker that says what it must not', () => {
  it.each([
    ['an answer', frameOf(encoded({ name: 'found', id: 1, peers: [], answers: [] }))],
    ['outcomes', frameOf(encoded({ name: 'stored', id: 1, peers: [], answers: [] }))],
    ['what is no message', frameOf(Uint8Array.of(9, 9, 9))],
    ['a message without its end', frameOf(encoded(findRequest(['a'])).subarray(0, -1))],
    ['an empty message', headOf(0)],
    ['the head of an oversized message', headOf(MAX_MESSAGE_BYTES + 1)],
    ['text', new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')]
  ])('%s, loses its stream; others are served on (N9c)', async (_, bytes) => {
    const server = await serving(source)
    const other = await serving(source)
    hold(other, 'a')
    server.talker.sayBytes(bytes)

    expect(await server.talker.ended).toMatchObject({ name: 'StreamResetError' })
    expect((await asked(other, findRequest(['a']))).answers).toHaveLength(1)
  })

  it('has held what it had stored before, answered or not', async () => {
    const server = await serving(source)
    server.talker.say(storeRequest([['a', recordOf('a')]]))
    server.talker.sayBytes(headOf(0))

    await server.talker.ended
    expect(server.store.get(recordKey('a'))).toEqual(recordOf('a'))
  })
})
