import { EMPTY_RECORD, encodeRecord, recordKey } from '@waggle/record'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nameOf } from '../../src/store/record-store.ts'
import { LEASE_MS, MAX_RELAYED_KEYS, RENEW_MS, RENEWALS_PER_LOOK } from '../../src/watch/limits.ts'
import { RelayedKeys } from '../../src/watch/relayed-keys.ts'
import { chooseRelays } from '../../src/watch/relays.ts'
import { contact, recordOf } from '../support/exchange-serving.ts'
import { type StreamSource, streamSource } from '../support/exchange-streams.ts'
import { peerNumber } from '../support/numbered-peers.ts'
import { START } from '../support/simulated-replicas.ts'
import { KEY, value, WatchScene } from '../support/watch-scene.ts'
import { relay, unwatch, WatchServing, type WatchTalker, watch } from '../support/watch-serving.ts'

let source: StreamSource

beforeAll(async () => {
  source = await streamSource()
})

afterAll(() => source?.[Symbol.asyncDispose]())

/** Peers that a server knows, nearest first. */
const KNOWN = Array.from({ length: 20 }, (_, i) => contact(i + 100))

describe('a replica of a key that many watch', () => {
  /** Has so many peers watch a key, each from a stream of its own. */
  async function watchers(serving: WatchServing, count: number): Promise<WatchTalker[]> {
    const talkers: WatchTalker[] = []

    for (let i = 0; i < count; i++) {
      const talker = await serving.talker(peerNumber(i))
      talker.say(watch('hot'))
      await talker.hear('watched')
      talkers.push(talker)
    }

    return talkers
  }

  it('names relays to those for whom it has no room, and tells them what it holds (N10h)', async () => {
    const serving = new WatchServing(source, { known: KNOWN, maxWatchersPerKey: 2 })
    serving.write('hot', recordOf('held'))
    await watchers(serving, 2)
    const late = await serving.talker(peerNumber(50))
    late.say(watch('hot', 'cool'))
    const { answers, peers } = await late.hear('full')

    expect(answers.map(({ state }) => state)).toEqual(['full', 'watched'])
    expect(answers[0]?.record).toEqual(encodeRecord(recordOf('held')))
    const replicas = KNOWN.slice(0, 5).map(({ id }) => id.toString())
    const named = answers[0]?.relays.map((place) => peers[place]?.id) as Uint8Array[]
    expect(named).toHaveLength(4)
    expect(named.filter((id) => replicas.includes(Buffer.from(id).toString()))).toEqual([])
    expect(serving.server.size).toBe(3)
  })

  it('has room again when one of them leaves (N10h)', async () => {
    const serving = new WatchServing(source, { known: KNOWN, maxWatchersPerKey: 2 })
    const [first] = await watchers(serving, 2)
    first?.say(unwatch('hot'))
    await first?.hear('watched')

    await watchers(serving, 1)
    expect(serving.server.size).toBe(2)
  })

  it('keeps places for relays, as many as for watchers (N10h)', async () => {
    const serving = new WatchServing(source, { known: KNOWN, maxWatchersPerKey: 1 })
    await watchers(serving, 1)
    const first = await serving.talker(peerNumber(60))
    const second = await serving.talker(peerNumber(61))
    first.say(relay('hot', false))
    await first.hear('watched')
    second.say(relay('hot', false))
    await second.hear('full')

    serving.write('hot', recordOf('changed'))
    await first.hear('changed')
  })

  it('goes on where it knows no relay, as in a small network (N10h)', async () => {
    const serving = new WatchServing(source, { known: KNOWN.slice(0, 5), maxWatchersPerKey: 2 })
    await watchers(serving, 4)
    expect(serving.server.size).toBe(4)
  })
})

describe('a relay', () => {
  it('watches a key as long as anyone depends on it, and passes changes on (N10h)', async () => {
    const relayed = new Set<string>()
    const serving = new WatchServing(source, {
      onRelay(name) {
        relayed.add(name)
        return { record: recordOf('learnt before'), isTold: true, end: () => relayed.delete(name) }
      }
    })
    const name = nameOf(recordKey('hot'))
    const [a, b] = [await serving.talker(peerNumber(1)), await serving.talker(peerNumber(2))]
    a.say(relay('hot', true))
    await a.hear('watched')
    b.say(relay('hot', true))
    const [{ record } = {}] = (await b.hear('watched')).answers

    expect([...relayed]).toEqual([name])
    expect(record).toEqual(encodeRecord(recordOf('learnt before')))
    serving.server.onRelayed(name, recordOf('passed on'))
    expect((await b.hear('changed')).record).toEqual(encodeRecord(recordOf('passed on')))

    a.say(unwatch('hot'))
    await a.hear('changed')
    await a.hear('watched')
    expect(relayed.size).toBe(1)
    b.stream.abort(new Error('gone'))
    await expect.poll(() => relayed.size).toBe(0)
  })

  it('has no room where it hears of changes late, or for more keys than it may (N10h)', () => {
    let isTold = true
    const keys = new RelayedKeys(() => ({
      record: EMPTY_RECORD,
      get isTold() {
        return isTold
      },
      end() {}
    }))
    const begun = Array.from({ length: MAX_RELAYED_KEYS + 1 }, (_, i) => keys.begin(`${i}`))

    expect(begun.filter(Boolean)).toHaveLength(MAX_RELAYED_KEYS)
    expect(keys.begin('0')).toBe(true)
    isTold = false
    expect(keys.begin('0')).toBe(false)
    keys.end('0')
    expect(keys.begin('more')).toBe(true)
  })

  it('is one of the nearest peers that are no replicas; those there are come first (N10h)', () => {
    const routing = { nearest: (_: Uint8Array, count: number) => KNOWN.slice(0, count) }
    const chosen = (...places: number[]) => {
      const relays = new Set(places.map((place) => KNOWN[place]?.id.toString() as string))
      const options = { routing, numReplicas: 5, relays, random: () => 0 }
      return chooseRelays(recordKey('hot'), options).map((peer) => KNOWN.indexOf(peer))
    }

    expect(chosen()).toEqual([5, 6, 7, 8])
    expect(chosen(7, 8)).toEqual([7, 5, 6])
    expect(chosen(7, 8, 9, 10, 11)).toEqual([7, 5, 6, 12, 13, 14])
  })
})

describe('a watcher of a key whose replicas are full', () => {
  /** A network whose five replicas are full and name the peers behind them. */
  function crowdedScene(): WatchScene {
    const scene = new WatchScene({ size: 12 })
    scene.simulated.full = new Set([0, 1, 2, 3, 4])
    return scene
  }

  it('is told by two relays, at once, and looks no more at the replicas (N10h)', async () => {
    using scene = crowdedScene()
    const loop = await scene.begun()
    expect(scene.simulated.relaying.size).toBe(2)
    const asked = scene.simulated.asked.get(0)
    await scene.pass(2 * RENEW_MS)

    expect(scene.simulated.asked.get(0)).toBe(asked)
    const [rank] = scene.simulated.relaying as Set<number>
    scene.write([rank as number], value('passed on'))
    expect(await loop.next()).toEqual({ value: 'passed on', expirationTime: START + 1000 })
  })

  it('looks at the replicas now and then, and is told by them when they have room (N10h)', async () => {
    using scene = crowdedScene()
    await scene.begun()
    scene.simulated.full = new Set()
    await scene.pass((RENEWALS_PER_LOOK + 1) * RENEW_MS)

    expect(scene.tellers).toEqual([0, 1, 2, 3, 4])
    expect(scene.simulated.relaying.size).toBe(0)
  })

  it('takes another relay when one is lost (N10h)', async () => {
    using scene = crowdedScene()
    await scene.begun()
    const [lost] = [...scene.simulated.relaying] as [number]
    scene.simulated.lose(lost)
    scene.simulated.relaying.delete(lost)
    scene.simulated.full.add(lost)
    await scene.pass(500)

    expect(scene.simulated.relaying.size).toBe(2)
    expect(scene.simulated.relaying.has(lost)).toBe(false)
  })

  it('lets go of relays with the last loop (N10h)', async () => {
    using scene = crowdedScene()
    await scene.begun()
    scene.lifetime.abort()
    await scene.pass(100)

    expect(scene.tellers).toEqual([])
  })

  it('asks the replicas as a relay once others depend on it (N10h)', async () => {
    using scene = crowdedScene()
    scene.simulated.relayPlaces = true
    await scene.begun()
    scene.simulated.watches.relayed.begin(nameOf(KEY))
    await scene.pass(500)

    expect(scene.tellers).toEqual([0, 1, 2, 3, 4])
    expect(scene.simulated.relaying.size).toBe(0)
    scene.write([3], value('passed on'))
    expect(scene.simulated.passedOn).toEqual([value('passed on')])
    await scene.pass(LEASE_MS)
    scene.simulated.watches.relayed.end(nameOf(KEY))
    await scene.pass(2 * RENEW_MS)
    expect(scene.simulated.relaying.size).toBe(2)
  })
})
