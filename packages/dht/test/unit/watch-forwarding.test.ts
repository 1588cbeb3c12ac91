import { EMPTY_RECORD, encodeRecord, recordKey } from '@waggle/record'
import { describe, expect, it, onTestFinished } from 'vitest'
import { nameOf } from '../../src/store/record-store.ts'
import type { KeyChange } from '../../src/store/store-listeners.ts'
import { ForwardedKeys } from '../../src/watch/forwarded-keys.ts'
import { chooseForwarders, MIN_CANDIDATES } from '../../src/watch/forwarders.ts'
import { POLL_MS, RENEW_MS, RENEWALS_PER_CHECK, SEEK_MS } from '../../src/watch/limits.ts'
import type { WatchMessage, WatchRole } from '../../src/watch/watch-messages.ts'
import type { EncodedPeer } from '../../src/wire/fields.ts'
import type { FramedStream } from '../../src/wire/framed-stream.ts'
import { PeerDecoder } from '../../src/wire/peer-codec.ts'
import { contact, recordOf } from '../support/exchange-serving.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { peerNumber } from '../support/numbered-peers.ts'
import { START } from '../support/simulated-replicas.ts'
import { KEY, value, WatchScene } from '../support/watch-scene.ts'
import {
  unwatch,
  WatchServing,
  type WatchTalker,
  watch,
  watchAs
} from '../support/watch-serving.ts'

const source = useStreamSource()

/** Peers that a server knows, nearest first. */
const KNOWN = Array.from({ length: 20 }, (_, i) => contact(i + 100))
const RANK_OF_FORWARDER = 7

const DEPENDANT = { peer: 'p', role: 'dependant' } as const

describe('a replica of a key that many watch', () => {
  /** Watches a key from this many peers, each on a stream of its own. */
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

  it('refers watchers beyond its room to forwarders, and tells them its record (N10h)', async () => {
    const serving = new WatchServing(source, { known: KNOWN, maxWatchersPerKey: 2 })
    serving.write('hot', recordOf('held'))
    await watchers(serving, 2)
    const late = await serving.talker(peerNumber(50))
    late.say(watch('hot', 'cool'))
    const { answers, peers } = await late.hear('watched')

    expect(answers.map(({ state }) => state)).toEqual(['full', 'watched'])
    expect(answers[0]?.record).toEqual(encodeRecord(recordOf('held')))
    const decoder = new PeerDecoder()
    const ranks = answers[0]?.closer.map((place) => {
      const named = decoder.of(peers[place] as EncodedPeer)
      return KNOWN.findIndex(({ id }) => named?.id.equals(id))
    }) as number[]
    expect(Math.min(...ranks.slice(0, 5))).toBeGreaterThanOrEqual(5)
    expect(ranks.slice(5)).toEqual([0, 1, 2, 3, 4])
    expect(serving.server.size).toBe(3)
  })

  it('has room again when one of them leaves (N10h)', async () => {
    const serving = new WatchServing(source, { known: KNOWN, maxWatchersPerKey: 2 })
    const [first] = await watchers(serving, 2)
    first?.say(unwatch('hot'))
    await first?.hear('watched')

    const late = await serving.talker(peerNumber(50))
    late.say(watch('hot'))
    expect((await late.hear('watched')).answers[0]?.state).toBe('watched')
  })

  it('keeps as many places for forwarders, of which only near peers get any (N10h)', async () => {
    const serving = new WatchServing(source, { known: KNOWN, maxWatchersPerKey: 1 })
    await watchers(serving, 1)
    const state = async (peer: WatchTalker): Promise<unknown> => {
      peer.say(watchAs('forwarder', 'hot'))
      return (await peer.hear('watched')).answers[0]?.state
    }
    const near = await serving.talker(KNOWN[6]?.id)

    expect(await state(await serving.talker(peerNumber(60)))).toBe('full')
    expect(await state(near)).toBe('watched')
    expect(await state(await serving.talker(KNOWN[5]?.id))).toBe('full')
    serving.write('hot', recordOf('changed'))
    await near.hear('changed')
  })

  it('leaves connections to others: watchers hold 70 % of them, and forwarders 10 % more (N10h)', async () => {
    const serving = new WatchServing(source, { known: KNOWN, maxConnections: 10 })
    const state = async (talker: WatchTalker, role: WatchRole, key: string): Promise<unknown> => {
      talker.say(watchAs(role, key))
      return (await talker.hear('watched')).answers[0]?.state
    }
    const [first] = (await watchers(serving, 7)) as [WatchTalker]
    const late = await serving.talker(peerNumber(50))
    const forwarder = await serving.talker(KNOWN[6]?.id)

    expect(await state(late, 'prompt', 'another')).toBe('full')
    expect(await state(first, 'prompt', 'another')).toBe('watched')
    expect(await state(forwarder, 'forwarder', 'hot')).toBe('watched')
    expect(await state(await serving.talker(KNOWN[7]?.id), 'forwarder', 'hot')).toBe('full')
    first.say(unwatch('hot', 'another'))
    await first.hear('watched')
    forwarder.say(unwatch('hot'))
    await forwarder.hear('watched')
    expect(await state(late, 'prompt', 'another')).toBe('watched')
  })

  it('goes on where nobody could forward, as in a small network (N10h)', async () => {
    const serving = new WatchServing(source, { known: KNOWN.slice(0, 5), maxWatchersPerKey: 2 })
    await watchers(serving, 4)
    expect(serving.server.size).toBe(4)
  })
})

describe('a forwarder', () => {
  it('watches a key as long as anyone depends on it, and passes changes on (N10h)', async () => {
    const passOn = new Map<string, (change: KeyChange) => void>()
    const serving = new WatchServing(source, {
      forward(name, onChange) {
        passOn.set(name, onChange)
        return {
          record: recordOf('learned before all that'),
          isTold: true,
          isReachable: true,
          end: () => passOn.delete(name)
        }
      }
    })
    const name = nameOf(recordKey('hot'))
    const [a, b] = [await serving.talker(peerNumber(1)), await serving.talker(peerNumber(2))]
    a.say(watchAs('dependant', 'hot'))
    await a.hear('watched')
    b.say(watchAs('dependant', 'hot'))
    const [{ record } = {}] = (await b.hear('watched')).answers

    expect([...passOn.keys()]).toEqual([name])
    expect(record).toEqual(encodeRecord(recordOf('learned before all that')))
    passOn.get(name)?.({ added: recordOf('passed on'), before: EMPTY_RECORD })
    expect((await b.hear('changed')).record).toEqual(encodeRecord(recordOf('passed on')))

    a.say(unwatch('hot'))
    await a.hear('changed')
    await a.hear('watched')
    expect(passOn.size).toBe(1)
    b.stream.abort(new Error('gone'))
    await expect.poll(() => passOn.size).toBe(0)
  })

  it('says so when it hears of changes late itself (N10h)', async () => {
    const key = { record: EMPTY_RECORD, isTold: true, isReachable: true, end() {} }
    const serving = new WatchServing(source, { forward: () => key })
    const watcher = await serving.talker(peerNumber(1))
    const state = async (): Promise<unknown> => {
      watcher.say(watchAs('dependant', 'hot'))
      return (await watcher.hear('watched')).answers[0]?.state
    }

    expect(await state()).toBe('watched')
    key.isTold = false
    expect(await state()).toBe('full')
    expect(serving.server.size).toBe(0)
  })

  it.each([
    ['prompt', 2],
    ['dependant', 10],
    ['remote', 10]
  ] as const)('counts what a %s watcher of two keys costs: %i keys (N14)', (role, keys) => {
    const serving = new WatchServing(source)
    onTestFinished(() => serving.server.stop())
    const subscriber = serving.server.serve({} as FramedStream<WatchMessage>, peerNumber(1))
    expect(subscriber.respond(watchAs(role, 'one', 'two')).keys).toBe(keys)
  })

  it.each([0, 2])('forwards %i keys if that is its limit (N10h)', (max) => {
    const begin = () => ({ record: EMPTY_RECORD, isTold: true, isReachable: true, end() {} })
    const keys = new ForwardedKeys({ max, begin })
    const begun = Array.from({ length: 5 }, (_, i) => keys.begin(`${i}`, () => {}, DEPENDANT))

    expect(begun.filter(Boolean)).toHaveLength(max)
    keys.end('0')
    expect(keys.begin('more', () => {}, DEPENDANT)).toBe(max > 0)
  })

  it('gives up a watch of the role whose places are scarce (N13j)', () => {
    const serving = new WatchServing(source)
    onTestFinished(() => serving.server.stop())
    const subscriber = serving.server.serve({} as FramedStream<WatchMessage>, peerNumber(1))

    for (const request of [watchAs('prompt', 'ordinary'), watchAs('remote', 'remote')]) {
      const reply = subscriber.respond(request).reply as Iterable<undefined>
      expect([...reply]).toHaveLength(1)
    }

    const sizes = (['remote', 'remote', 'prompt'] as const).map((role) => {
      subscriber.releaseOldest(role)
      return serving.server.size
    })
    expect(sizes).toEqual([1, 1, 0])
  })

  it('is one of the nearest peers that are no replicas; present ones come first (N10h)', () => {
    const known = Array.from({ length: 100 }, (_, i) => contact(i + 100))
    const routing = { nearest: (_: Uint8Array, count: number) => known.slice(0, count) }
    const chosen = (present: number[], max = 128) => {
      const names = new Set(present.map((rank) => known[rank]?.id.toString() as string))
      const options = { routing, numReplicas: 5, present: names, max, random: () => 0 }
      return chooseForwarders(recordKey('hot'), options).map((peer) => known.indexOf(peer))
    }
    const ranks = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)

    expect(chosen([])).toEqual(ranks(5, MIN_CANDIDATES))
    expect(chosen([7, 6], 2)).toEqual([6])
    expect(chosen([7, 6])).toEqual([6, 5, ...ranks(8, MIN_CANDIDATES - 3)])
    expect(chosen(ranks(5, MIN_CANDIDATES))).toEqual([
      5,
      ...ranks(5 + MIN_CANDIDATES, MIN_CANDIDATES)
    ])
  })
})

describe('a watcher of a key whose replicas are full', () => {
  const CHECK_MS = RENEWALS_PER_CHECK * RENEW_MS

  /** Makes a network whose five replicas are full and name the peers behind them. */
  function crowdedScene(): WatchScene {
    const scene = new WatchScene({ size: 12 })
    scene.simulated.full = new Set([0, 1, 2, 3, 4])
    return scene
  }

  function askedReplicas({ simulated }: WatchScene): number {
    return [0, 1, 2, 3, 4].reduce((sum, rank) => sum + (simulated.asked.get(rank) ?? 0), 0)
  }

  it('is told by two forwarders, and spares the replicas but for one check in 90 s (N10h)', async () => {
    using scene = crowdedScene()
    const loop = await scene.begunEmpty()
    expect(scene.simulated.forwarding.size).toBe(2)
    const before = askedReplicas(scene)
    await scene.pass(4 * CHECK_MS + RENEW_MS / 2)
    expect(askedReplicas(scene)).toBe(before + 4)

    const [rank] = scene.simulated.forwarding as Set<number>
    scene.write([rank as number], value('passed on'))
    expect(await loop.next()).toEqual({ value: 'passed on', expirationTime: START + 1000 })
  })

  it('has two replicas with room notify at once, whichever these are (N10h)', async () => {
    using scene = crowdedScene()
    scene.simulated.full = new Set([0, 1, 2])
    const loop = await scene.begunEmpty()

    expect([...scene.simulated.prompt].filter((rank) => rank > 2).toSorted()).toEqual([3, 4])
    expect(scene.simulated.forwarding.size).toBe(0)
    scene.write([4], value('at once'))
    expect(await loop.next()).toMatchObject({ value: 'at once' })
  })

  it('finds within 90 s what its forwarders hold back, and asks the replicas again (N10h)', async () => {
    using scene = crowdedScene()
    const loop = await scene.begunEmpty()
    scene.write([0, 1, 2, 3, 4], value('held back'))
    const before = askedReplicas(scene)
    await scene.pass(CHECK_MS + 1000)

    expect(await loop.next()).toMatchObject({ value: 'held back' })
    expect(askedReplicas(scene)).toBe(before + 6)
  })

  it('is told by the replicas when they have room (N10h)', async () => {
    using scene = crowdedScene()
    await scene.begun()
    scene.simulated.full = new Set()
    await scene.pass(CHECK_MS + 1000)

    expect(scene.tellers).toEqual([0, 1, 2, 3, 4])
    expect(scene.simulated.forwarding.size).toBe(0)
  })

  it('takes another forwarder when one is lost, without asking the replicas (N10h)', async () => {
    using scene = crowdedScene()
    await scene.begun()
    const before = askedReplicas(scene)
    const [lost] = [...scene.simulated.forwarding] as [number]
    scene.simulated.forwarding.delete(lost)
    scene.simulated.full.add(lost)
    scene.simulated.lose(lost)
    await scene.pass(500)

    expect(scene.simulated.forwarding.size).toBe(2)
    expect(scene.simulated.forwarding.has(lost)).toBe(false)
    expect(askedReplicas(scene)).toBe(before)
  })

  it('polls the replicas when nobody can forward, and looks for forwarders now and then (N10h)', async () => {
    using scene = crowdedScene()
    scene.simulated.full = new Set(scene.net.peers.keys())
    const loop = await scene.begunEmpty()
    const before = scene.simulated.asked.get(RANK_OF_FORWARDER)
    scene.write([0, 1, 2, 3, 4], value('polled'))
    await scene.pass(POLL_MS + 1000)
    expect(await loop.next()).toMatchObject({ value: 'polled' })
    expect(scene.simulated.asked.get(RANK_OF_FORWARDER)).toBe(before)

    scene.simulated.full = new Set([0, 1, 2, 3, 4])
    await scene.pass(SEEK_MS)
    expect(scene.simulated.forwarding.size).toBe(2)
  })

  it('depends on others itself while no replica has a place for it as a forwarder (N10h)', async () => {
    using scene = crowdedScene()
    const loop = await scene.begunEmpty()
    const { forwarded } = scene.simulated.watches
    forwarded.begin(nameOf(KEY), () => {}, DEPENDANT)
    await scene.pass(500)

    expect(forwarded.begin(nameOf(KEY), () => {}, DEPENDANT)).toBe(false)
    expect(scene.simulated.forwarding.size).toBe(2)
    const [rank] = scene.simulated.forwarding as Set<number>
    scene.write([rank as number], value('passed on'))
    expect(await loop.next()).toMatchObject({ value: 'passed on' })
  })

  it('lets go of forwarders with the last loop (N10h)', async () => {
    using scene = crowdedScene()
    await scene.begun()
    scene.lifetime.abort()
    await scene.pass(100)

    expect(scene.tellers).toEqual([])
  })

  it('asks the replicas as a forwarder once others depend on it (N10h)', async () => {
    using scene = crowdedScene()
    scene.simulated.hasForwarderPlaces = true
    await scene.begun()
    const { forwarded } = scene.simulated.watches
    const passedOn: unknown[] = []
    forwarded.begin(nameOf(KEY), ({ added }) => passedOn.push(added), DEPENDANT)
    await scene.pass(500)

    expect(scene.tellers).toEqual([0, 1, 2, 3, 4])
    expect(scene.simulated.forwarding.size).toBe(0)
    scene.write([3], value('passed on'))
    expect(passedOn).toEqual([value('passed on')])
    scene.simulated.hasForwarderPlaces = false
    forwarded.end(nameOf(KEY))
    await scene.pass(2 * RENEW_MS)
    expect(scene.simulated.forwarding.size).toBe(2)
  })
})
