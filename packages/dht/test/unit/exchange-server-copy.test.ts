import { encodeRecord, recordKey } from '@waggle/record'
import { describe, expect, it } from 'vitest'
import { nameOf, RecordStore } from '../../src/store/record-store.ts'
import { MAX_AGE_SECONDS } from '../../src/wire/limits.ts'
import {
  findRequest,
  NOW,
  recordOf,
  type Serving,
  serving,
  storeRequest
} from '../support/exchange-serving.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { recordIn } from '../support/find-answers.ts'
import { manualClock } from '../support/manual-clock.ts'

const COPY = recordOf('copy')
const REPLICA = recordOf('replica')

const source = useStreamSource()

async function lent(maxRecords?: number): Promise<Serving & { copies: RecordStore }> {
  const copies = new RecordStore({ clock: manualClock(NOW), maxRecords })
  const server = await serving(source, { copies })
  server.talker.say(storeRequest([['a', COPY]], { isCacheOnly: true }))
  await server.talker.hear('stored')
  return { ...server, copies }
}

async function found({ talker }: Serving, maxAge: number): Promise<unknown> {
  talker.say(findRequest(['a'], { maxAge }))
  return recordIn((await talker.hear('found')).answers[0])
}

describe('a copy that was left with a peer', () => {
  it('answers a get, but nobody who looks for the replicas (N5)', async () => {
    const server = await lent()

    expect(await found(server, 60)).toEqual(encodeRecord(COPY))
    expect(await found(server, 0)).toBeUndefined()
  })

  it('says how old it is, rounded up (N5b)', async () => {
    const server = await lent()
    const sinceMs = performance.now()
    server.copies.markFresh(nameOf(recordKey('a')), sinceMs)
    server.talker.say(findRequest(['a'], { maxAge: 60 }))
    const [answer] = (await server.talker.hear('found')).answers

    expect(answer).toMatchObject({ standing: 'copy', closer: [] })
    expect(answer).toHaveProperty('ageMs', expect.toSatisfy(Number.isInteger))
    expect(answer).toHaveProperty(
      'ageMs',
      expect.toSatisfy((ms) => ms <= performance.now() - sinceMs + 1)
    )
  })

  it('is no answer where it is too old, or a part of what a replica holds (N5b)', async () => {
    const copies = new RecordStore({ clock: manualClock(NOW) })
    const server = { ...(await serving(source, { copies })), copies }
    copies.apply(recordKey('a'), COPY)
    expect(await found(server, MAX_AGE_SECONDS)).toBeUndefined()

    copies.markFresh(nameOf(recordKey('a')), performance.now() - 61_000)
    expect(await found(server, 60)).toBeUndefined()
    expect(await found(server, 62)).toEqual(encodeRecord(COPY))

    copies.markAllOld()
    expect(await found(server, MAX_AGE_SECONDS)).toBeUndefined()
  })

  it('does not count as held, and makes room for nothing that does', async () => {
    const { store, copies } = await lent()

    expect([store.records, copies.records]).toEqual([0, 1])
  })

  it('is there beside a replica, which is what answers', async () => {
    const server = await lent()
    server.talker.say(storeRequest([['a', REPLICA]]))
    await server.talker.hear('stored')

    expect(await found(server, 60)).toEqual(encodeRecord(REPLICA))
  })

  it('goes first: what is held for others has a store of its own', async () => {
    const server = await lent(1)
    server.talker.say(storeRequest([['b', REPLICA]], { isCacheOnly: true }))
    await server.talker.hear('stored')
    expect(server.copies.records).toBe(1)
    expect(server.store.get(recordKey('b')).plain).toBeUndefined()
  })

  it('is refused by a peer that remembers nothing', async () => {
    const { talker, store } = await serving(source)
    talker.say(storeRequest([['a', COPY]], { isCacheOnly: true }))

    expect((await talker.hear('stored')).answers).toMatchObject([{ outcome: 'full' }])
    expect(store.records).toBe(0)
  })
})
