import { plainRecord, recordKey } from '@waggle/record'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { MAX_REPLIES_IN_FLIGHT } from '../../src/wire/limits.ts'
import {
  findRequest,
  NOW,
  recordOf,
  type Serving,
  serving,
  storeRequest
} from '../support/exchange-serving.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { PATIENCE } from '../support/libp2p-node.ts'
import { ManualPersistence } from '../support/manual-persistence.ts'

const source = useStreamSource()
let server: Serving
let keeper: ManualPersistence

beforeEach(async () => {
  server = await serving(source)
  keeper = new ManualPersistence()
  server.store.persistWith(keeper)
})

function store(id: number, key = `key ${id}`): ReturnType<typeof storeRequest> {
  return storeRequest([[key, recordOf('value')]], { id })
}

/** Resolves when this many answers are held back. */
async function whenHeldBack(count: number): Promise<void> {
  await vi.waitFor(() => expect(keeper.waiting).toHaveLength(count), PATIENCE)
}

function isHeld(id: number): boolean {
  return server.store.encoded(recordKey(`key ${id}`)) !== undefined
}

describe('a STORE at a node that keeps its records on disk', () => {
  it('is answered when it is durable, though held at once', async () => {
    server.talker.say(store(1))
    await whenHeldBack(1)

    expect(isHeld(1)).toBe(true)
    expect(server.talker.unheard).toBe(0)
    keeper.waiting[0]?.resolve()
    expect(await server.talker.hear('stored')).toMatchObject({
      id: 1,
      answers: [{ outcome: 'accepted' }]
    })
  })

  it('is refused as full when it can not be made durable', async () => {
    server.talker.say(
      storeRequest([
        ['good', recordOf('value')],
        ['late', plainRecord('value', NOW - 1)]
      ])
    )
    await whenHeldBack(1)
    keeper.waiting[0]?.reject(new Error('no space left on device'))

    expect((await server.talker.hear('stored')).answers.map(({ outcome }) => outcome)).toEqual([
      'full',
      'expired'
    ])
  })

  it('waits for nothing when it changes nothing and all is durable', async () => {
    server.talker.say(store(1))
    await whenHeldBack(1)
    keeper.waiting[0]?.resolve()
    await server.talker.hear('stored')
    server.talker.say(store(2, 'key 1'))

    expect(await server.talker.hear('stored')).toMatchObject({ id: 2 })
  })

  it('has what is asked after it answered after it, whatever is durable first', async () => {
    server.talker.say(store(1), store(2), findRequest(['key 1'], { id: 3 }))
    await whenHeldBack(2)
    keeper.waiting[1]?.resolve()
    keeper.waiting[0]?.resolve()

    expect(await server.talker.hear('stored')).toMatchObject({ id: 1 })
    expect(await server.talker.hear('stored')).toMatchObject({ id: 2 })
    expect(await server.talker.hear('found')).toMatchObject({ id: 3 })
    server.talker.say(findRequest(['key 2'], { id: 4 }))
    expect(await server.talker.hear('found')).toMatchObject({ id: 4 })
  })

  it('is not even taken in while too many wait for the disk (N9e)', async () => {
    const ids = Array.from({ length: 3 * MAX_REPLIES_IN_FLIGHT }, (_, id) => id)
    server.talker.say(...ids.map((id) => store(id)))
    await whenHeldBack(MAX_REPLIES_IN_FLIGHT)

    expect(ids.filter(isHeld)).toHaveLength(MAX_REPLIES_IN_FLIGHT)
    expect(server.stream.readStatus).toBe('paused')

    const heard: number[] = []

    for (const id of ids) {
      await vi.waitFor(() => expect(keeper.waiting.length).toBeGreaterThan(id), PATIENCE)
      keeper.waiting[id]?.resolve()
      heard.push((await server.talker.hear('stored')).id)
    }

    expect(heard).toEqual(ids)
    expect(server.stream.readStatus).toBe('readable')
  })

  it('is forgotten when the asker is gone before it is durable, and harms nobody (N9c)', async () => {
    server.talker.say(store(1))
    await whenHeldBack(1)
    server.talker.stream.abort(new Error('gone'))
    await vi.waitFor(() => expect(server.stream.status).not.toBe('open'), PATIENCE)
    keeper.waiting[0]?.resolve()

    const next = await serving(source)
    next.talker.say(store(2))
    expect(await next.talker.hear('stored')).toMatchObject({ id: 2 })
  })
})
