import { decodeRecord, encodeRecord, join, recordKey, subkeyRecord, view } from '@waggle/record'
import { describe, expect, it, vi } from 'vitest'
import { digestOf } from '../../src/store/record-digest.ts'
import { COLLECT_MS, LEASE_MS, MAX_WATCHES, MAX_WATCHES_PER_PEER } from '../../src/watch/limits.ts'
import { MAX_KEYS_PER_MESSAGE } from '../../src/wire/limits.ts'
import { busyFor } from '../support/busy-for.ts'
import { contact, NOW, recordOf } from '../support/exchange-serving.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { headOf } from '../support/exchange-talker.ts'
import { PATIENCE } from '../support/libp2p-node.ts'
import { peerNumber } from '../support/numbered-peers.ts'
import { unwatch, WatchServing, type WatchTalker, watch } from '../support/watch-serving.ts'

const source = useStreamSource()

/** Returns the value in the next notice. */
async function told(talker: WatchTalker): Promise<unknown> {
  const { record } = await talker.hear('changed')
  return view(decodeRecord(record), NOW)?.value
}

/** Sends WATCH, and takes the answer. */
async function watched(talker: WatchTalker, ...keys: string[]): Promise<void> {
  talker.say(watch(...keys))
  await talker.hear('watched')
}

/** The maximum number of keys in a message. */
const MANY = Array.from({ length: MAX_KEYS_PER_MESSAGE }, (_, i) => `key ${i}`)

describe('WatchServer', () => {
  it('answers with the record and the near peers, then tells each change', async () => {
    const known = [contact(1), contact(2)]
    const serving = new WatchServing(source, { known })
    serving.write('held', recordOf('first'))
    const talker = await serving.talker()
    talker.say(watch('held', 'empty'))

    expect(await talker.hear('watched')).toMatchObject({
      peers: [{}, {}],
      answers: [
        { state: 'watched', record: encodeRecord(recordOf('first')), closer: [0, 1] },
        { state: 'watched', closer: [0, 1] }
      ]
    })
    const second = subkeyRecord('alice', 'yes', NOW + 4000)
    serving.write('empty', second)
    expect(await talker.hear('changed')).toEqual({
      name: 'changed',
      key: recordKey('empty'),
      record: encodeRecord(second)
    })
  })

  it('tells of a dictionary what was written, however large it is', async () => {
    const serving = new WatchServing(source)
    const talker = await serving.talker()

    for (let i = 0; i < 1000; i++) {
      serving.write('party', subkeyRecord(`guest ${i}`, 'yes', NOW + 1000 + i))
    }

    await watched(talker, 'party')
    serving.write('party', subkeyRecord('late', 'yes', NOW + 3000))
    const { record } = await talker.hear('changed')

    expect(record.length).toBeLessThan(100)
    expect([...decodeRecord(record).subkeys]).toHaveLength(1)
  })

  it("tells of another replica's copy what it adds, and no more", async () => {
    const serving = new WatchServing(source)
    const talker = await serving.talker()
    const guests = Array.from({ length: 100 }, (_, i) =>
      subkeyRecord(`guest ${i}`, 'yes', NOW + 1000)
    )
    const all = guests.reduce((a, b) => join(a, b))
    serving.write('party', all)
    await watched(talker, 'party')
    serving.write('party', join(all, subkeyRecord('late', 'yes', NOW + 3000)))
    const { record } = await talker.hear('changed')

    expect(decodeRecord(record)).toEqual(subkeyRecord('late', 'yes', NOW + 3000))
  })

  it('tells all writes of one turn at once, as what they come to', async () => {
    const serving = new WatchServing(source)
    const talker = await serving.talker()
    await watched(talker, 'party')

    for (let i = 0; i < 10; i++) {
      serving.write('party', subkeyRecord(`guest ${i % 5}`, 'yes', NOW + 1000 + i))
    }

    const { record } = await talker.hear('changed')
    expect([...decodeRecord(record).subkeys]).toHaveLength(5)
    expect(talker.unheard).toBe(0)
  })

  it('collects changes for patient watchers, and tells their sum', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })

    try {
      const serving = new WatchServing(source)
      const hurried = await serving.talker()
      const unhurried = await serving.talker(peerNumber(1))
      await watched(hurried, 'party')
      unhurried.say({ ...watch('party'), role: 'patient' })
      await unhurried.hear('watched')

      for (let i = 0; i < 3; i++) {
        serving.write('party', subkeyRecord(`guest ${i}`, 'yes', NOW + 1000 + i))
        expect(await told(hurried)).toHaveProperty('size', 1)
        expect(unhurried.unheard).toBe(0)
      }

      vi.advanceTimersByTime(COLLECT_MS)
      expect(await told(unhurried)).toHaveProperty('size', 3)
      expect(unhurried.unheard).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('does not tell of what was refused, or was held before', async () => {
    const serving = new WatchServing(source)
    const talker = await serving.talker()
    serving.write('key', recordOf('value'))
    await watched(talker, 'key')
    serving.write('key', recordOf('value'))
    serving.write('key', subkeyRecord('older', 1, NOW + 1))
    serving.write('key', subkeyRecord('newer', 1, NOW + 4000))

    expect(await told(talker)).toBeInstanceOf(Map)
    expect(talker.unheard).toBe(0)
  })

  it('does not repeat what is known by its digest', async () => {
    const serving = new WatchServing(source)
    const talker = await serving.talker()
    const record = recordOf('value')
    serving.write('key', record)
    talker.say({
      name: 'watch',
      closerCount: 0,
      role: 'prompt',
      keys: [{ key: recordKey('key'), digest: digestOf(record) }]
    })

    expect((await talker.hear('watched')).answers).toEqual([{ state: 'watched', closer: [] }])
  })

  it('answers the first keys only, if all would be too large for one message', async () => {
    const serving = new WatchServing(source)
    const talker = await serving.talker()

    for (const key of ['a', 'b', 'c']) {
      serving.write(key, recordOf(key, 200_000))
    }

    talker.say(watch('a', 'b', 'c'))
    expect((await talker.hear('watched')).answers).toHaveLength(1)
    expect(serving.server.size).toBe(1)
  })

  it('tells nothing after it has answered that it does so no more', async () => {
    const serving = new WatchServing(source)
    const talker = await serving.talker()
    await watched(talker, 'key', 'other')
    talker.say(unwatch('key', 'never watched'))
    expect((await talker.hear('watched')).answers).toMatchObject([
      { state: 'ended' },
      { state: 'ended' }
    ])
    serving.write('key', recordOf('unheard'))
    serving.write('other', recordOf('heard'))

    expect((await talker.hear('changed')).key).toEqual(recordKey('other'))
    expect(serving.server.size).toBe(1)
  })

  it('forgets all that was watched on a stream that ends', async () => {
    const serving = new WatchServing(source)
    const talker = await serving.talker()
    await watched(talker, 'a', 'b')
    talker.stream.abort(new Error('over'))

    await serving.watched(0)
  })

  it('forgets a watcher that does not ask again within the lease, and ends the stream', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })

    try {
      const serving = new WatchServing(source)
      const talker = await serving.talker()
      await watched(talker, 'a', 'b')
      vi.advanceTimersByTime(LEASE_MS * 0.6)
      await watched(talker, 'b')
      vi.advanceTimersByTime(LEASE_MS * 0.8)
      expect(serving.server.size).toBe(1)
      vi.advanceTimersByTime(LEASE_MS)
      expect(serving.server.size).toBe(0)
      vi.advanceTimersByTime(LEASE_MS)
      expect(await talker.ended).toBeInstanceOf(Error)
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a peer', () => {
  it('that asks for much lets others have their turn meanwhile (N9f)', async () => {
    const serving = new WatchServing(source, { onLook: () => busyFor(0.5) })
    const greedy = await serving.talker()
    const modest = await serving.talker(peerNumber(1))
    greedy.say(watch(...MANY))
    await vi.waitUntil(() => serving.server.size > 0, PATIENCE)
    modest.say(watch('key'))

    expect((await modest.hear('watched')).answers).toHaveLength(1)
    expect(greedy.unheard).toBe(0)
    expect((await greedy.hear('watched')).answers).toHaveLength(MANY.length)
  })

  it('that asks for more than its rate waits, and others do not (N9f)', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })

    try {
      const rates = { maxKeysPerSecondPerPeer: 100, maxKeysPerSecond: 1000 }
      const serving = new WatchServing(source, { rates })
      const greedy = await serving.talker()
      const modest = await serving.talker(peerNumber(1))
      await watched(greedy, ...MANY)
      greedy.say(unwatch('key 0'), watch('more'))
      await watched(modest, 'a', 'b')
      expect(greedy.unheard).toBe(0)

      vi.advanceTimersByTime(2000)
      await greedy.hear('watched')
      await greedy.hear('watched')
    } finally {
      vi.useRealTimers()
    }
  })

  it('that is gone before it is answered watches nothing', async () => {
    const serving = new WatchServing(source, { onLook: () => busyFor(0.5) })
    const talker = await serving.talker()
    talker.say(watch(...MANY))
    await vi.waitUntil(() => serving.scheduler.work.waiting > 0, PATIENCE)
    talker.stream.abort(new Error('over'))
    await vi.waitUntil(() => serving.scheduler.work.waiting === 0, PATIENCE)

    expect(serving.server.size).toBe(0)
  })

  it('that wants to watch a million keys is refused beyond its share, and others are served (N9d)', async () => {
    const serving = new WatchServing(source)
    const greedy = await serving.talker()
    const rounds = Math.ceil((2 * MAX_WATCHES_PER_PEER) / 256)
    let refused = 0

    for (let round = 0; round < rounds; round++) {
      greedy.say(watch(...Array.from({ length: 256 }, (_, i) => `key ${round} ${i}`)))
      const { answers } = await greedy.hear('watched')
      refused += answers.filter(({ state }) => state === 'refused').length
    }

    expect(serving.server.size).toBe(MAX_WATCHES_PER_PEER)
    expect(refused).toBe(rounds * 256 - MAX_WATCHES_PER_PEER)

    const again = await serving.talker()
    again.say(watch('by another stream'))
    expect((await again.hear('watched')).answers).toMatchObject([{ state: 'refused' }])
    const modest = await serving.talker(peerNumber(1))
    modest.say(watch('key'))
    expect((await modest.hear('watched')).answers).toMatchObject([{ state: 'watched' }])

    greedy.say(watch('key 0 0'))
    expect((await greedy.hear('watched')).answers).toMatchObject([{ state: 'watched' }])
    greedy.stream.abort(new Error('over'))
    await serving.watched(1)
  })

  it('that comes when all places are taken gets its share of them, and there are no more (N13j)', async () => {
    const serving = new WatchServing(source)
    const peers = MAX_WATCHES / MAX_WATCHES_PER_PEER + 1

    for (let peer = 0; peer < peers; peer++) {
      const talker = await serving.talker(peerNumber(peer))
      const messages = Array.from({ length: MAX_WATCHES_PER_PEER / MANY.length }, (_, i) =>
        watch(...MANY.map((key) => `${key} ${i}`))
      )
      talker.say(...messages)

      for (const _message of messages) {
        await talker.hear('watched')
      }
    }

    expect(serving.server.size).toBe(MAX_WATCHES)
  })

  it('that watches most gives way to others when places are scarce (N13j)', async () => {
    const serving = new WatchServing(source, { maxWatches: 100 })
    const greedy = await serving.talker()
    await watched(greedy, ...MANY.slice(0, 100))
    const modest = await serving.talker(peerNumber(1))
    modest.say(watch(...MANY.slice(100, 200)))
    const { answers } = await modest.hear('watched')

    expect(answers.filter(({ state }) => state === 'watched')).toHaveLength(50)
    expect(serving.server.size).toBe(100)

    // The key that was renewed longest ago is let go of first, and nothing is told of it any more.
    serving.write('key 0', recordOf('unheard'))
    serving.write('key 99', recordOf('heard'))
    expect((await greedy.hear('changed')).key).toEqual(recordKey('key 99'))
  })

  it('that is refused is told what is held all the same', async () => {
    const serving = new WatchServing(source)
    const talker = await serving.talker()
    const bytes = new TextEncoder().encode('/waggle/no key')
    talker.say({
      name: 'watch',
      closerCount: 0,
      role: 'prompt',
      keys: [{ key: bytes, digest: new Uint8Array() }]
    })

    expect((await talker.hear('watched')).answers).toEqual([{ state: 'refused', closer: [] }])
    expect(serving.server.size).toBe(0)
  })

  it('that does not read is sent little, and the latest when it reads again (N9e)', async () => {
    const serving = new WatchServing(source)
    const talker = await serving.talker()
    const prompt = await serving.talker(peerNumber(1))
    await watched(talker, 'key', 'other')
    await watched(prompt, 'key')
    talker.stream.pause()
    const changes = 400

    for (let i = 1; i <= changes; i++) {
      serving.write('key', recordAt(`change ${i}`, i))
      serving.write('other', recordAt(`other ${i}`, i))
      expect(await told(prompt)).toMatchObject([`change ${i}`, {}])
    }

    const heldBack = talker.sizes.length
    talker.stream.resume()
    let last: unknown

    while (JSON.stringify(last)?.includes(`change ${changes}`) !== true) {
      last = await told(talker)
    }

    // yamux's window limits the notices in flight. The others were replaced before they could be sent.
    expect(talker.sizes.length - heldBack).toBeLessThan(changes)
  })

  it.each<[string, (talker: WatchTalker) => void]>([
    ['answers what it was not asked', (t) => t.say({ name: 'watched', peers: [], answers: [] })],
    [
      'tells changes itself',
      (t) => t.say({ name: 'changed', key: recordKey('key'), record: new Uint8Array([1]) })
    ],
    ['sends an oversized message', (t) => t.sayBytes(headOf(2 ** 32 - 1))],
    ['sends what is no message', (t) => t.sayBytes(Uint8Array.of(0, 0, 0, 1, 9))]
  ])('that %s is disconnected, and watches nothing any more (N9c)', async (_, offend) => {
    const serving = new WatchServing(source)
    const talker = await serving.talker()
    await watched(talker, 'key')
    offend(talker)

    await vi.waitFor(() => expect(serving.server.size).toBe(0), PATIENCE)
    expect(await talker.ended).toBeInstanceOf(Error)
  })
})

/** Makes a record of some 64 KiB. A later one replaces an earlier one. */
function recordAt(name: string, second: number): ReturnType<typeof recordOf> {
  const record = recordOf(name, 65_536)
  const expirationTime = NOW + 3600 + second
  return { ...record, plain: { ...record.plain, expirationTime } }
}
