import { multiaddr } from '@multiformats/multiaddr'
import { getDHTTime, plainRecord, recordKey } from '@waggle/record'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Scheduler } from '../../src/admission/scheduler.ts'
import type { FindOptions, RecordChannel } from '../../src/lookup/record-channel.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import {
  askFingerprints,
  MAX_COMPARED_KEYS,
  tellFingerprints
} from '../../src/upkeep/compare-protocol.ts'
import { fingerprintsAt } from '../../src/upkeep/comparison.ts'
import { FINGERPRINT_BYTES, fingerprintOf } from '../../src/upkeep/fingerprint.ts'
import { MAX_KEY_BYTES } from '../../src/wire/limits.ts'
import { busyFor } from '../support/busy-for.ts'
import { type StreamSource, streamSource } from '../support/exchange-streams.ts'
import { PATIENCE } from '../support/libp2p-node.ts'
import { peerNumber } from '../support/numbered-peers.ts'

const NOTHING = hex(new Uint8Array(FINGERPRINT_BYTES))
const RECORD = plainRecord('value', getDHTTime() + 600)
const [HELD, ABSENT, COPIED] = ['held', 'absent', 'copied'].map((name) => recordKey(name)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array
]

const HELD_FINGERPRINT = hex(fingerprintOf(RECORD))

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

describe('comparing what two peers hold', () => {
  let streams: StreamSource
  let store: RecordStore
  let scheduler: Scheduler

  beforeAll(async () => {
    streams = await streamSource()
    store = new RecordStore()
    scheduler = new Scheduler()
    store.apply(HELD, RECORD)
  })

  afterAll(async () => {
    await streams[Symbol.asyncDispose]()
  })

  it('tells the fingerprint of each record, and that there is none', async () => {
    const [near, far] = await streams.open()
    const told = tellFingerprints(far, streams.asker, { store, scheduler })
    const signal = AbortSignal.timeout(5000)

    const fingerprints = await askFingerprints(near, [HELD, ABSENT, HELD], { signal })
    expect(fingerprints.map(hex)).toEqual([HELD_FINGERPRINT, NOTHING, HELD_FINGERPRINT])
    await told
  })

  it('takes as many keys as a question may have', async () => {
    const [near, far] = await streams.open()
    const keys = Array.from({ length: MAX_COMPARED_KEYS }, (_, i) => recordKey(i))
    const told = tellFingerprints(far, streams.asker, { store, scheduler })
    const signal = AbortSignal.timeout(5000)

    const fingerprints = await askFingerprints(near, keys, { signal })
    expect(fingerprints.map(hex)).toEqual(keys.map(() => NOTHING))
    await told
  })

  it('looks at a key once, however often it is asked for (N9f)', async () => {
    const [near, far] = await streams.open()
    const looks = vi.spyOn(store, 'get')
    const keys = Array.from({ length: MAX_COMPARED_KEYS }, () => HELD)
    const told = tellFingerprints(far, streams.asker, { store, scheduler })
    const signal = AbortSignal.timeout(5000)

    const fingerprints = await askFingerprints(near, keys, { signal })
    expect(fingerprints.map(hex)).toEqual(keys.map(() => HELD_FINGERPRINT))
    expect(looks).toHaveBeenCalledTimes(1)
    looks.mockRestore()
    await told
  })

  it('works out the fingerprint of a record once', () => {
    expect(fingerprintOf(RECORD)).toBe(fingerprintOf(RECORD))
  })

  it('counts keys for the rate of who asks (N9f)', async () => {
    const [near, far] = await streams.open()
    const rates = { maxKeysPerSecondPerPeer: 1, maxKeysPerSecond: 1000 }
    const strict = new Scheduler(rates)
    const told = tellFingerprints(far, streams.asker, { store, scheduler: strict })
    const keys = Array.from({ length: MAX_COMPARED_KEYS }, (_, i) => recordKey(i))
    await askFingerprints(near, keys, { signal: AbortSignal.timeout(5000) })
    await told

    expect(strict.admission.admits(streams.asker.toString(), 1)).toBe(false)
  })

  describe('while one asks for much', () => {
    const MANY = Array.from({ length: MAX_COMPARED_KEYS }, (_, i) => recordKey(i))
    let slow: RecordStore
    let isSlow: boolean
    let shared: Scheduler

    beforeEach(() => {
      isSlow = false
      shared = new Scheduler()
      slow = new RecordStore({
        clock() {
          busyFor(isSlow ? 0.5 : 0)
          return getDHTTime()
        }
      })

      for (const key of MANY) {
        slow.apply(key, RECORD)
      }

      isSlow = true
    })

    it('lets others have their turn (N9f)', async () => {
      const [[greedyNear, greedyFar], [near, far]] = [await streams.open(), await streams.open()]
      const signal = AbortSignal.timeout(PATIENCE.timeout)
      const tellings = [
        tellFingerprints(greedyFar, streams.asker, { store: slow, scheduler: shared }),
        tellFingerprints(far, peerNumber(1), { store: slow, scheduler: shared })
      ]
      const much = askFingerprints(greedyNear, MANY, { signal })
      await vi.waitUntil(() => shared.work.waiting > 0, PATIENCE)
      await askFingerprints(near, MANY.slice(0, 1), { signal })

      expect(shared.work.waiting).toBe(1)
      expect(await much).toHaveLength(MANY.length)
      await Promise.all(tellings)
    })

    it('leaves the rest undone when it is gone', async () => {
      const [near, far] = await streams.open()
      const told = tellFingerprints(far, streams.asker, { store: slow, scheduler: shared })
      const asked = askFingerprints(near, MANY, { signal: AbortSignal.timeout(5000) })
      await vi.waitUntil(() => shared.work.waiting > 0, PATIENCE)
      near.abort(new Error('gone'))

      await expect(asked).rejects.toThrow()
      await expect(told).rejects.toThrow('nobody waits')
    })
  })

  it.each([
    ['more keys than a question may have', Uint8Array.of(3, 0x81, 0x02, 0)],
    ['a key that is cut short', Uint8Array.of(3, 1, 5, 1)],
    ['bytes after the end', Uint8Array.of(3, 1, 0, 0)],
    ['a length beyond the limit', Uint8Array.of(0xff, 0xff, 0xff, 0x7f)],
    ['a key beyond the limit', Uint8Array.of(4, 1, ...[0x81, 0x80, 0x04])]
  ])('refuses %s (N9b)', async (_, bytes) => {
    const [near, far] = await streams.open()
    const told = tellFingerprints(far, streams.asker, { store, scheduler })
    near.send(bytes)

    await expect(told).rejects.toThrow()
    expect(MAX_KEY_BYTES).toBe(65_536)
    far.abort(new Error('as the service does'))
  })

  it('rejects an answer that is not as long as it has to be (N9b)', async () => {
    const [near, far] = await streams.open()
    far.send(Uint8Array.of(3, 1, 2, 3))

    await expect(
      askFingerprints(near, [HELD], { signal: AbortSignal.timeout(5000) })
    ).rejects.toThrow('1 keys with 3 bytes')
    near.abort(new Error('as the asker does'))
  })

  it('asks for the records where a peer does not tell fingerprints (N1)', async () => {
    const unsupported = Object.assign(new Error('no'), { name: 'UnsupportedProtocolError' })
    const connectionManager = {
      getConnections: () => [{ limits: undefined }],
      openStream: () => Promise.reject(unsupported)
    } as never
    const channel = {
      // A peer answers with a copy, too, unless it is asked for what it holds as a replica.
      find: async (_: unknown, key: Uint8Array, { isCloserAlways }: FindOptions) => ({
        record: key === HELD || (key === COPIED && !isCloserAlways) ? RECORD : undefined,
        closer: []
      })
    } as unknown as RecordChannel
    const peer = { id: peerNumber(1), multiaddrs: [multiaddr('/ip4/127.0.0.1/tcp/1')] }

    const keys = [HELD, ABSENT, COPIED]
    const fingerprints = await fingerprintsAt(peer, keys, { connectionManager, channel })
    expect(fingerprints.map(hex)).toEqual([HELD_FINGERPRINT, NOTHING, NOTHING])
  })
})
