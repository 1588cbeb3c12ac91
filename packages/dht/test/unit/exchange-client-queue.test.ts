import { describe, expect, it, vi } from 'vitest'
import {
  MAX_QUEUED_REQUESTS,
  MAX_REQUESTS_IN_FLIGHT,
  MIN_BULK_IN_FLIGHT,
  TARGET_MESSAGE_BYTES
} from '../../src/wire/limits.ts'
import { ACTIVE, CANCELLED } from '../support/cancellation.ts'
import { turns } from '../support/end-of-turn.ts'
import {
  asking,
  bytesOf,
  clientOf,
  find,
  found,
  store,
  stored,
  told
} from '../support/exchange-asking.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { keysOf } from '../support/find-answers.ts'
import { PATIENCE } from '../support/libp2p-node.ts'

const source = useStreamSource()

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `key ${i}`)
}

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes)
}

/** Makes a record that fills a part of a message. */
function recordOf(part: number): Uint8Array {
  return new Uint8Array(part * TARGET_MESSAGE_BYTES)
}

describe('a question that is no longer wanted', () => {
  it('is answered for nobody once it was sent, and leaves the others of its message alone', async () => {
    const { ask, client, peer, counts } = asking(source)
    const leaving = { isCancelled: false }
    const left = client.ask(find('left'), leaving)
    const others = ask(find('a'), find('b'))
    const talker = await peer()
    const { id, keys } = await talker.hear('find')
    leaving.isCancelled = true

    expect(keys).toHaveLength(3)
    talker.say(found(id, ['for nobody', 'A', 'B']))
    expect(told(await others)).toEqual(['A', 'B'])
    // The promise of the cancelled request still resolves.
    expect(told([await left])).toEqual(['for nobody'])
    expect(counts).toEqual({ opened: 1, idle: 0 })
  })

  it('is not asked at all if it was given up before it was sent (N8a)', async () => {
    const { ask, client, peer } = asking(source)
    const leaving = { isCancelled: false }
    const left = client.ask(find('left'), leaving)
    const others = ask(find('a'), find('b'))
    leaving.isCancelled = true

    await expect(left).rejects.toMatchObject({ name: 'AbortError' })
    const talker = await peer()
    const { id, keys } = await talker.hear('find')
    talker.say(found(id, ['A', 'B']))
    expect(keysOf(keys)).toEqual(['a', 'b'].map(bytesOf))
    expect(told(await others)).toEqual(['A', 'B'])
  })

  it('is not asked again when it was left unanswered', async () => {
    const { ask, client, peer } = asking(source)
    const leaving = { isCancelled: false }
    const first = ask(find('a'))
    const left = expect(client.ask(find('left'), leaving)).rejects.toMatchObject({
      name: 'AbortError'
    })
    const last = ask(find('b'))
    const talker = await peer()
    const { id } = await talker.hear('find')
    leaving.isCancelled = true

    talker.say(found(id, ['A']))
    const again = await talker.hear('find')
    talker.say(found(again.id, ['B']))
    await left
    expect(keysOf(again.keys)).toEqual([bytesOf('b')])
    expect(told([...(await first), ...(await last)])).toEqual(['A', 'B'])
  })

  it('is never sent when it was given up from the start, alone or between others', async () => {
    const { client, peer } = asking(source)
    await expect(client.ask(find('alone'), CANCELLED)).rejects.toMatchObject({ name: 'AbortError' })

    const a = client.ask(find('a'), ACTIVE)
    const left = client.ask(find('left'), CANCELLED)
    const b = client.ask(find('b'), ACTIVE)
    await expect(left).rejects.toMatchObject({ name: 'AbortError' })
    const talker = await peer()
    const { id, keys } = await talker.hear('find')
    talker.say(found(id, ['A', 'B']))

    expect(keysOf(keys)).toEqual(['a', 'b'].map(bytesOf))
    expect(told([await a, await b])).toEqual(['A', 'B'])
    expect(talker.unheard).toBe(0)
  })
})

describe('the questions to one peer', () => {
  it('wait while so many requests are under way, until an answer comes (N9j)', async () => {
    const { ask, peer } = asking(source)
    const count = MAX_REQUESTS_IN_FLIGHT + 3
    // No two neighbours are alike, so that each has a message of its own.
    const questions = names(count).map((name, i) => find(name, { closerCount: i % 2 }))
    const answers = ask(...questions)
    const talker = await peer()
    await vi.waitUntil(() => talker.unheard >= MAX_REQUESTS_IN_FLIGHT, PATIENCE)
    const { id } = await talker.hear('find')
    expect(talker.unheard).toBe(MAX_REQUESTS_IN_FLIGHT - 1)

    talker.say(found(id, ['one']))
    await vi.waitUntil(() => talker.unheard >= MAX_REQUESTS_IN_FLIGHT, PATIENCE)
    expect(talker.unheard).toBe(MAX_REQUESTS_IN_FLIGHT)

    for (let i = 1; i < count; i++) {
      talker.say(found((await talker.hear('find')).id, ['one']))
    }

    expect(told(await answers)).toEqual(questions.map(() => 'one'))
  })

  it('wait where they can be given up, if they are bulk, until others are answered (N12)', async () => {
    const { client, peer } = asking(source)
    const bulk = { isCancelled: false, isBulk: true }
    const questions = names(2 * MIN_BULK_IN_FLIGHT).map((name, i) =>
      client.ask(find(name, { closerCount: i % 2 }), bulk)
    )
    const outcomes = Promise.allSettled(questions)
    const talker = await peer()
    const heard = []

    for (let i = 0; i < MIN_BULK_IN_FLIGHT; i++) {
      heard.push(await talker.hear('find'))
    }

    await turns(5)
    expect(talker.unheard).toBe(0)
    bulk.isCancelled = true

    for (const { id } of heard) {
      talker.say(found(id, ['one']))
    }

    const statuses = (await outcomes).map(({ status }) => status)
    expect(statuses.filter((status) => status === 'fulfilled')).toHaveLength(MIN_BULK_IN_FLIGHT)
    expect(talker.unheard).toBe(0)
  })

  it('wait in a queue of so many, beyond which more are refused at once (N9j)', async () => {
    const client = clientOf(() => new Promise(() => {}))
    const waiting = names(MAX_QUEUED_REQUESTS).map((name) => client.ask(find(name)))

    await expect(client.ask(find('one too many'))).rejects.toThrow(`${MAX_QUEUED_REQUESTS}`)
    client.close()
    const outcomes = await Promise.allSettled(waiting)
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
  })

  it('make room for others when they are given up, asked or not (N9j)', async () => {
    const client = clientOf(() => new Promise(() => {}))
    const leaving = { isCancelled: false }
    const waiting = names(MAX_QUEUED_REQUESTS).map((name, i) =>
      client.ask(find(name), i % 2 === 0 ? leaving : ACTIVE)
    )
    const outcomes = Promise.allSettled(waiting)
    leaving.isCancelled = true

    const next = names(MAX_QUEUED_REQUESTS / 2).map((name) => client.ask(find(name)))
    await expect(client.ask(find('one too many'))).rejects.toThrow(`${MAX_QUEUED_REQUESTS}`)
    client.close()
    const reasons = (await outcomes).map((outcome) => Reflect.get(outcome, 'reason').message)
    expect(reasons).toEqual(
      names(MAX_QUEUED_REQUESTS).map((_, i) =>
        i % 2 ? 'the node was stopped' : 'the request was cancelled'
      )
    )

    for (const one of await Promise.allSettled(next)) {
      expect(one).toMatchObject({ reason: { message: 'the node was stopped' } })
    }
  })

  it('are held back while the peer does not read, and lost when given up meanwhile (N9e)', async () => {
    const { ask, client, peer, streams } = asking(source)
    const opening = ask(find('opening'))
    const talker = await peer()
    talker.say(found((await talker.hear('find')).id, [null]))
    await opening

    talker.stream.pause()
    const leaving = { isCancelled: false }
    const large = recordOf(0.9)
    const early = names(5).map((name) => client.ask(store(name, { record: large })))
    const late = Promise.allSettled(
      names(95).map((name) => client.ask(store(name, { record: large }), leaving))
    )
    const [stream] = streams
    await turns(20)

    // One message was begun, of which the peer takes in no more.
    expect(stream?.writeBufferLength).toBe(0)
    leaving.isCancelled = true

    talker.stream.resume()
    const requests = []

    for (const _ of early) {
      const request = await talker.hear('store')
      requests.push(request)
      talker.say(stored(request.id, ['accepted']))
    }

    const outcomes = await late
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    const keys = requests.flatMap(({ writes }) => writes.map(({ key }) => textOf(key)))
    expect(keys).toEqual(names(5))
    expect(told(await Promise.all(early))).toEqual(names(5).map(() => 'accepted'))
  })
})
