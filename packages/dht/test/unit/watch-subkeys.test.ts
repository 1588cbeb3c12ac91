import {
  type DHTRecord,
  decodeRecord,
  encodeRecord,
  join,
  plainRecord,
  recordKey,
  subkeyRecord,
  tombstoneRecord
} from '@waggle/record'
import { project, subkeyId } from '@waggle/record/replica'
import { describe, expect, it } from 'vitest'
import { LiveWatch } from '../../src/live/live-watch.ts'
import { digestOf } from '../../src/store/record-digest.ts'
import { MAX_WATCHED_SUBKEYS, RENEW_MS } from '../../src/watch/limits.ts'
import type { WatchRequest } from '../../src/watch/watch-messages.ts'
import { type Collected, collected } from '../support/collected.ts'
import { contact, NOW } from '../support/exchange-serving.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { peerNumber } from '../support/numbered-peers.ts'
import { START } from '../support/simulated-replicas.ts'
import { KEY, WatchScene } from '../support/watch-scene.ts'
import { WatchServing, type WatchTalker, watch } from '../support/watch-serving.ts'

const source = useStreamSource()

function guest(name: string, answer = 'yes', until = NOW + 600): DHTRecord {
  return subkeyRecord(name, answer, until)
}

/** Makes a WATCH of single subkeys of the party, with the sender's record. */
function watchOf(names: readonly string[], known?: DHTRecord): WatchRequest {
  const digest = known === undefined ? new Uint8Array(0) : digestOf(known)
  const key = recordKey('party')
  return {
    ...watch(),
    keys: names.map((name) => ({ key, subkey: subkeyId(name), digest }))
  }
}

/** Returns the subject and the content of the next notice. */
async function told(talker: WatchTalker): Promise<[string | undefined, DHTRecord]> {
  const { subkey, record } = await talker.hear('changed')
  return [subkey, decodeRecord(record)]
}

describe('WatchServer with watchers of single subkeys', () => {
  it('answers with the subkey alone, and not if that is known', async () => {
    const serving = new WatchServing(source)
    serving.write('party', join(guest('alice'), guest('bob')))
    const talker = await serving.talker()
    talker.say(watchOf(['alice', 'carol']))
    expect((await talker.hear('watched')).answers).toEqual([
      { state: 'watched', record: encodeRecord(guest('alice')), closer: [] },
      { state: 'watched', record: undefined, closer: [] }
    ])

    talker.say(watchOf(['alice'], guest('alice')))
    expect((await talker.hear('watched')).answers).toEqual([
      { state: 'watched', record: undefined, closer: [] }
    ])
  })

  it('tells changes of the subkey, and no others', async () => {
    const serving = new WatchServing(source)
    const [one, all] = [await serving.talker(), await serving.talker(peerNumber(1))]
    one.say(watchOf(['alice']))
    all.say(watch('party'))
    await Promise.all([one.hear('watched'), all.hear('watched')])
    serving.write('party', guest('bob'))
    expect(await told(all)).toEqual([undefined, guest('bob')])
    serving.write('party', join(guest('alice'), guest('bob')))

    expect(await told(one)).toEqual([subkeyId('alice'), guest('alice')])
    expect(await told(all)).toEqual([undefined, guest('alice')])
    expect(one.unheard).toBe(0)
  })

  it('tells plain writes, which may erase it (R4)', async () => {
    const serving = new WatchServing(source)
    const talker = await serving.talker()
    talker.say(watchOf(['alice', 'bob']))
    await talker.hear('watched')
    const erased = tombstoneRecord(NOW + 700)
    serving.write('party', erased)

    expect(await told(talker)).toEqual([subkeyId('alice'), erased])
    expect(await told(talker)).toEqual([subkeyId('bob'), erased])
  })

  it('ends one subkey, and goes on with the others', async () => {
    const serving = new WatchServing(source)
    const talker = await serving.talker()
    talker.say(watchOf(['alice', 'bob']))
    await talker.hear('watched')
    expect(serving.server.size).toBe(2)
    talker.say({ name: 'unwatch', keys: [{ key: recordKey('party'), subkey: subkeyId('alice') }] })
    await talker.hear('watched')
    serving.write('party', join(guest('alice'), guest('bob')))

    expect(await told(talker)).toEqual([subkeyId('bob'), guest('bob')])
    expect([serving.server.size, talker.unheard]).toEqual([1, 0])
  })

  it('has room for a few subkeys of a key from each peer, and for the whole besides (N13j)', async () => {
    const serving = new WatchServing(source)
    const talker = await serving.talker()
    const names = Array.from({ length: MAX_WATCHED_SUBKEYS + 1 }, (_, i) => `guest ${i}`)
    talker.say(watchOf(names), watch('party'))
    const states = (await talker.hear('watched')).answers.map(({ state }) => state)

    expect(states).toEqual([...names.slice(1).map(() => 'watched'), 'refused'])
    expect((await talker.hear('watched')).answers[0]?.state).toBe('watched')
  })

  it('counts a peer once for a key, however many subkeys it watches (N10h)', async () => {
    const known = Array.from({ length: 20 }, (_, i) => contact(i + 10))
    const serving = new WatchServing(source, { known, maxWatchersPerKey: 2 })
    const talkers = [await serving.talker(), await serving.talker(peerNumber(1))]

    for (const talker of talkers) {
      talker.say(watchOf(['alice', 'bob']))
      const { answers } = await talker.hear('watched')
      expect(answers.map(({ state }) => state)).toEqual(['watched', 'watched'])
    }

    const late = await serving.talker(peerNumber(2))
    late.say(watchOf(['alice']))
    expect((await late.hear('watched')).answers[0]?.state).toBe('full')
  })
})

/** Watches a subkey of the scene's key. */
function watching(scene: WatchScene, name: string): Collected {
  const { simulated, net, lifetime } = scene
  const source = simulated.watches.entryStatesOf(KEY, subkeyId(name))
  return collected(new LiveWatch({ source, clock: net.clock, lifetime: lifetime.signal }))
}

async function begun(scene: WatchScene, name: string): Promise<Collected> {
  const loop = watching(scene, name)
  await scene.pass(200)
  return loop
}

describe('a watch of one subkey', () => {
  it('delivers its changes, and says when it is gone', async () => {
    using scene = new WatchScene()
    scene.write([0, 1], join(guest('alice', 'yes', START + 600), guest('bob', 'no', START + 700)))
    const loop = await begun(scene, 'alice')
    expect(await loop.next()).toEqual({ value: 'yes', expirationTime: START + 600 })
    scene.write([2], guest('alice', 'no', START + 650))
    expect(await loop.nextValue()).toBe('no')
    scene.write([0], tombstoneRecord(START + 660, { subkey: 'alice' }))
    expect(await loop.next()).toBeUndefined()
    scene.write([0], guest('alice', 'back', START + 661))
    expect(await loop.nextValue()).toBe('back')
    scene.write([0], plainRecord('plain', START + 1000))

    expect(await loop.next()).toBeUndefined()
    expect(loop.unread).toBe(0)
  })

  it('is told nothing of other subkeys, and asks for nothing else', async () => {
    using scene = new WatchScene()
    const loop = await begun(scene, 'alice')
    expect(await loop.next()).toBeUndefined()
    scene.write([0, 1, 2], guest('bob', 'no', START + 700))
    await scene.pass(2 * RENEW_MS)

    expect(loop.unread).toBe(0)
    expect(scene.simulated.tellings).toEqual([])
    expect(scene.simulated.tellers(KEY, subkeyId('alice'))).toEqual([0, 1, 2, 3, 4])
    expect(scene.tellers).toEqual([])
  })

  it('says at first that nothing is there where a plain value is (R8)', async () => {
    using scene = new WatchScene()
    scene.write([0, 1, 2], plainRecord('plain', START + 1000))

    expect(await (await begun(scene, 'alice')).next()).toBeUndefined()
  })

  it('ends with its expiration', async () => {
    using scene = new WatchScene()
    scene.write([0], guest('alice', 'yes', START + 2))
    const loop = await begun(scene, 'alice')
    expect(await loop.nextValue()).toBe('yes')
    await scene.pass(2500)

    expect(await loop.next()).toBeUndefined()
  })

  it('shares what a watch of the whole key is told', async () => {
    using scene = new WatchScene()
    const whole = await scene.begunEmpty()
    const loop = await begun(scene, 'alice')
    expect(await loop.next()).toBeUndefined()
    scene.write([0], guest('bob', 'no', START + 700))
    scene.write([0], guest('alice', 'yes', START + 600))

    expect(await loop.nextValue()).toBe('yes')
    expect(loop.unread).toBe(0)
    expect(await whole.next()).toBeDefined()
    expect(scene.simulated.tellers(KEY, subkeyId('alice'))).toEqual([])
  })

  it('watches the whole key for more subkeys than peers have room for', async () => {
    using scene = new WatchScene()
    const names = Array.from({ length: MAX_WATCHED_SUBKEYS + 2 }, (_, i) => `guest ${i}`)
    const loops: Collected[] = []

    for (const name of names) {
      loops.push(await begun(scene, name))
    }

    expect(scene.simulated.watches.size).toBe(MAX_WATCHED_SUBKEYS + 1)
    scene.write([0], guest(names.at(-1) as string, 'yes', START + 600))
    expect(await loops.at(-1)?.next()).toBeUndefined()
    expect(await loops.at(-1)?.nextValue()).toBe('yes')
    scene.lifetime.abort()
    await scene.pass(50)

    expect(scene.simulated.watches.size).toBe(0)
  })

  it('finds what was missed when it renews', async () => {
    using scene = new WatchScene()
    const loop = await begun(scene, 'alice')
    expect(await loop.next()).toBeUndefined()
    const missed = join(guest('alice', 'yes', START + 600), guest('bob', 'no', START + 700))
    scene.simulated.writeUnheard(0, KEY, missed)
    await scene.pass(2 * RENEW_MS)

    expect(await loop.nextValue()).toBe('yes')
    expect(project(missed, [subkeyId('alice')]).subkeys.size).toBe(1)
  })
})
