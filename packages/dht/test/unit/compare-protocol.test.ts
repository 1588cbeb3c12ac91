import { multiaddr } from '@multiformats/multiaddr'
import { getDHTTime, plainRecord, recordKey } from '@waggle/record'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MAX_KEY_BYTES } from '../../src/exchange/limits.ts'
import type { RecordChannel } from '../../src/interface.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import {
  askFingerprints,
  MAX_COMPARED_KEYS,
  tellFingerprints
} from '../../src/upkeep/compare-protocol.ts'
import { fingerprintsAt } from '../../src/upkeep/comparison.ts'
import { FINGERPRINT_BYTES, fingerprintOf } from '../../src/upkeep/fingerprint.ts'
import { type StreamSource, streamSource } from '../support/exchange-streams.ts'
import { peerNumber } from '../support/numbered-peers.ts'

const NOTHING = hex(new Uint8Array(FINGERPRINT_BYTES))
const RECORD = plainRecord('value', getDHTTime() + 600)
const [HELD, ABSENT] = [recordKey('held'), recordKey('absent')]

const HELD_FINGERPRINT = hex(fingerprintOf(RECORD))

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

describe('comparing what two peers hold', () => {
  let streams: StreamSource
  let store: RecordStore

  beforeAll(async () => {
    streams = await streamSource()
    store = new RecordStore()
    store.apply(HELD, RECORD)
  })

  afterAll(async () => {
    await streams[Symbol.asyncDispose]()
  })

  it('tells the fingerprint of each record, and that there is none', async () => {
    const [near, far] = await streams.open()
    const told = tellFingerprints(far, store)
    const signal = AbortSignal.timeout(5000)

    const fingerprints = await askFingerprints(near, [HELD, ABSENT, HELD], { signal })
    expect(fingerprints.map(hex)).toEqual([HELD_FINGERPRINT, NOTHING, HELD_FINGERPRINT])
    await told
  })

  it('takes as many keys as a question may have', async () => {
    const [near, far] = await streams.open()
    const keys = Array.from({ length: MAX_COMPARED_KEYS }, (_, i) => recordKey(i))
    const told = tellFingerprints(far, store)
    const signal = AbortSignal.timeout(5000)

    const fingerprints = await askFingerprints(near, keys, { signal })
    expect(fingerprints.map(hex)).toEqual(keys.map(() => NOTHING))
    await told
  })

  it.each([
    ['more keys than a question may have', Uint8Array.of(3, 0x81, 0x02, 0)],
    ['a key that is cut short', Uint8Array.of(3, 1, 5, 1)],
    ['bytes after the end', Uint8Array.of(3, 1, 0, 0)],
    ['a length beyond the limit', Uint8Array.of(0xff, 0xff, 0xff, 0x7f)],
    ['a key beyond the limit', Uint8Array.of(4, 1, ...[0x81, 0x80, 0x04])]
  ])('refuses %s (N9)', async (_, bytes) => {
    const [near, far] = await streams.open()
    const told = tellFingerprints(far, store)
    near.send(bytes)

    await expect(told).rejects.toThrow()
    expect(MAX_KEY_BYTES).toBe(65_536)
    far.abort(new Error('as the service does'))
  })

  it('rejects an answer that is not as long as it has to be (N9)', async () => {
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
      find: async (_: unknown, key: Uint8Array) => ({
        record: key === HELD ? RECORD : undefined,
        closer: []
      })
    } as unknown as RecordChannel
    const peer = { id: peerNumber(1), multiaddrs: [multiaddr('/ip4/127.0.0.1/tcp/1')] }

    const fingerprints = await fingerprintsAt(peer, [HELD, ABSENT], { connectionManager, channel })
    expect(fingerprints.map(hex)).toEqual([HELD_FINGERPRINT, NOTHING])
  })
})
