import { UnsupportedProtocolError } from '@libp2p/interface'
import { getDHTTime, plainRecord, recordKey } from '@waggle/record'
import { describe, expect, it, vi } from 'vitest'
import { Scheduler } from '../../src/admission/scheduler.ts'
import type { RecordChannel } from '../../src/lookup/record-channel.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { CompareClient } from '../../src/upkeep/compare-client.ts'
import { COMPARE, type CompareMessage } from '../../src/upkeep/compare-messages.ts'
import { compareServer } from '../../src/upkeep/compare-server.ts'
import { FINGERPRINT_BYTES, fingerprintOf } from '../../src/upkeep/fingerprint.ts'
import { MAX_KEYS_PER_MESSAGE } from '../../src/wire/limits.ts'
import { ProtocolServer } from '../../src/wire/protocol-server.ts'
import { busyFor } from '../support/busy-for.ts'
import { contact } from '../support/exchange-serving.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { Talker } from '../support/exchange-talker.ts'
import { PATIENCE } from '../support/libp2p-node.ts'
import { peerNumber } from '../support/numbered-peers.ts'
import { clientParts, type OpenStream } from '../support/protocol-asker.ts'

const NOTHING = hex(new Uint8Array(FINGERPRINT_BYTES))
const RECORD = plainRecord('value', getDHTTime() + 600)
const [HELD, ABSENT] = [recordKey('held'), recordKey('absent')]
const HELD_FINGERPRINT = hex(fingerprintOf(RECORD))
const MANY = Array.from({ length: MAX_KEYS_PER_MESSAGE }, (_, i) => recordKey(i))

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

const streams = useStreamSource()

function clientTo(open: OpenStream, find: RecordChannel['find'] = async () => ({ closer: [] })) {
  return new CompareClient({
    ...clientParts(open),
    records: { find }
  })
}

/** A peer with one record, and its clients. */
class Comparison {
  readonly store: RecordStore
  readonly scheduler = new Scheduler()

  constructor(store: RecordStore = new RecordStore()) {
    this.store = store
    this.store.apply(HELD, RECORD)
  }

  client(asker = streams.asker): CompareClient {
    return clientTo(async () => {
      const [near, far] = await streams.open()
      const { scheduler } = this
      new ProtocolServer({ scheduler }).serve(compareServer(this.store), far, asker)
      return near
    })
  }
}

describe('comparing what two peers hold', () => {
  it('tells the fingerprint of each record, and that there is none', async () => {
    const keys = [HELD, ABSENT, HELD]
    const fingerprints = await new Comparison().client().fingerprints(contact(1), keys)

    expect(fingerprints.map(hex)).toEqual([HELD_FINGERPRINT, NOTHING, HELD_FINGERPRINT])
  })

  it('takes more keys than a message may have', async () => {
    const keys = [...MANY, HELD]
    const fingerprints = await new Comparison().client().fingerprints(contact(1), keys)

    expect(fingerprints.map(hex)).toEqual([...MANY.map(() => NOTHING), HELD_FINGERPRINT])
  })

  it('looks at a key once, however often it is asked for (N9e)', async () => {
    const comparison = new Comparison()
    const looks = vi.spyOn(comparison.store, 'get')
    const keys = MANY.map(() => HELD)
    const fingerprints = await comparison.client().fingerprints(contact(1), keys)

    expect(fingerprints.map(hex)).toEqual(keys.map(() => HELD_FINGERPRINT))
    expect(looks).toHaveBeenCalledTimes(1)
  })

  it('works out the fingerprint of a record once', () => {
    expect(fingerprintOf(RECORD)).toBe(fingerprintOf(RECORD))
  })

  it('asks for the records where a peer does not tell fingerprints (N1)', async () => {
    const client = clientTo(
      async () => {
        throw new UnsupportedProtocolError('no')
      },
      async (_, key) => ({ record: key === HELD ? RECORD : undefined, closer: [] })
    )

    const fingerprints = await client.fingerprints(contact(1), [HELD, ABSENT])
    expect(fingerprints.map(hex)).toEqual([HELD_FINGERPRINT, NOTHING])
  })

  it('takes a cached copy for no replica where a peer does not tell fingerprints (N7)', async () => {
    const client = clientTo(
      async () => {
        throw new UnsupportedProtocolError('no')
      },
      // A peer answers with its copies unless the peers around the key are what is looked for.
      async (_, _key, { isCloserAlways }) => ({
        ...(isCloserAlways ? {} : { record: RECORD }),
        closer: []
      })
    )

    const fingerprints = await client.fingerprints(contact(1), [HELD])
    expect(fingerprints.map(hex)).toEqual([NOTHING])
  })

  it('rejects a reply to other keys than were asked for (N9b)', async () => {
    const client = clientTo(async () => {
      const [near, far] = await streams.open()
      const talker = new Talker<CompareMessage>(far, COMPARE)
      talker
        .hear('compare')
        .then(() => talker.say({ name: 'compared', fingerprints: [] }))
        .catch(() => {})
      return near
    })

    await expect(client.fingerprints(contact(1), [HELD])).rejects.toThrow('1 keys')
  })
})

describe('while one asks for much', () => {
  /** Makes a peer that takes half a millisecond for each key. */
  function slowComparison(): Comparison {
    let isSlow = false
    const store = new RecordStore({
      clock() {
        busyFor(isSlow ? 0.5 : 0)
        return getDHTTime()
      }
    })

    for (const key of MANY) {
      store.apply(key, RECORD)
    }

    const comparison = new Comparison(store)
    isSlow = true
    return comparison
  }

  it('lets others have their turn (N9e)', async () => {
    const comparison = slowComparison()
    const much = comparison.client().fingerprints(contact(1), MANY)
    await vi.waitUntil(() => comparison.scheduler.work.waiting > 0, PATIENCE)
    await comparison.client(peerNumber(1)).fingerprints(contact(1), MANY.slice(0, 1))

    expect(comparison.scheduler.work.waiting).toBe(1)
    expect(await much).toHaveLength(MANY.length)
  })

  it('leaves the rest undone when it is gone', async () => {
    const comparison = slowComparison()
    const client = comparison.client()
    const much = client.fingerprints(contact(1), MANY)
    const rejected = expect(much).rejects.toThrow()
    await vi.waitUntil(() => comparison.scheduler.work.waiting > 0, PATIENCE)
    const looks = vi.spyOn(comparison.store, 'get')
    client.close()
    await rejected
    await vi.waitUntil(() => comparison.scheduler.work.waiting === 0, PATIENCE)

    expect(looks.mock.calls.length).toBeLessThan(MANY.length - 1)
  })
})
