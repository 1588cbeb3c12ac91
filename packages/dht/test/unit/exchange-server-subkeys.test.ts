import {
  type DHTRecord,
  EMPTY_RECORD,
  encodeRecord,
  join,
  plainRecord,
  recordKey,
  subkeyRecord,
  tombstoneRecord
} from '@waggle/record'
import { subkeyId } from '@waggle/record/replica'
import { describe, expect, it, vi } from 'vitest'
import type { FindRequest } from '../../src/exchange/messages.ts'
import { DEFAULT_NODE_LIMITS } from '../../src/node-limits.ts'
import { nameOf, RecordStore } from '../../src/store/record-store.ts'
import { contact, findRequest, NOW, type Serving, serving } from '../support/exchange-serving.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { findKey, held, nothing } from '../support/find-answers.ts'
import { manualClock } from '../support/manual-clock.ts'

const KEY = recordKey('party')

/** Maximum number of guests in a dictionary. */
const FULL = 4096

const source = useStreamSource()

function guest(name: string, until = NOW + 600): DHTRecord {
  return subkeyRecord(name, 'yes', until)
}

function partyOf(count: number): DHTRecord {
  return Array.from({ length: count }, (_, i) => guest(`guest ${i}`)).reduce((party, one) =>
    join(party, one)
  )
}

function find(names: readonly string[], differences: Partial<FindRequest> = {}): FindRequest {
  const subkeys = names.map((name) => subkeyId(name)).sort()
  return findRequest([], { keys: [{ ...findKey(KEY), subkeys }], ...differences })
}

async function ask({ talker }: Serving, request: FindRequest): Promise<unknown> {
  talker.say(request)
  return (await talker.hear('found')).answers[0]
}

describe('a FIND of subkeys', () => {
  it('is answered from a full dictionary without encoding the rest (N4)', async () => {
    const server = await serving(source)
    server.store.apply(KEY, partyOf(FULL))
    const encoded = vi.spyOn(server.store, 'encoded')

    expect(await ask(server, find(['guest 7']))).toEqual(held(encodeRecord(guest('guest 7'))))
    expect(encoded).not.toHaveBeenCalled()
  })

  it('is answered with nothing held, and others to ask, where the key lacks it (N4)', async () => {
    const server = await serving(source, { known: [contact(1)] })
    const empty = encodeRecord(EMPTY_RECORD)
    expect(await ask(server, find(['guest 0']))).toEqual(nothing([0]))
    server.store.apply(KEY, guest('guest 0'))

    expect(await ask(server, find(['bob']))).toEqual({ ...held(empty), closer: [0] })
    expect(await ask(server, find(['guest 0']))).toEqual(held(encodeRecord(guest('guest 0'))))
  })

  it('is answered with tombstones, of the subkey or of the key (R4, R9)', async () => {
    const server = await serving(source)
    const deleted = tombstoneRecord(NOW + 700, { subkey: 'alice' })
    server.store.apply(KEY, join(guest('alice'), guest('bob')))
    server.store.apply(KEY, deleted)
    expect(await ask(server, find(['alice']))).toEqual(held(encodeRecord(deleted)))

    const erased = tombstoneRecord(NOW + 800)
    server.store.apply(KEY, erased)
    expect(await ask(server, find(['bob']))).toEqual(held(encodeRecord(erased)))
  })

  it('is answered by a copy only if that has the subkey (N5)', async () => {
    const copies = new RecordStore({ clock: manualClock(NOW) })
    const server = await serving(source, { copies, known: [contact(1)] })
    copies.apply(KEY, join(plainRecord('plain', NOW + 10), guest('alice')))

    copies.markFresh(nameOf(KEY), performance.now())

    expect(await ask(server, find(['alice']))).toMatchObject({ standing: 'copy' })
    expect(await ask(server, find(['bob']))).toEqual(nothing([0]))
  })

  it('counts as many keys as it names subkeys (N9f)', async () => {
    const maxKeysPerSecondPerPeer = 64
    const server = await serving(source, {
      nodeLimits: { ...DEFAULT_NODE_LIMITS, maxKeysPerSecondPerPeer }
    })
    const names = Array.from({ length: 64 }, (_, i) => `guest ${i}`)
    server.talker.say(find(names, { id: 1 }), find(names, { id: 2 }), find(names, { id: 3 }))

    expect(await server.talker.hear('found')).toMatchObject({ id: 1 })
    expect(await server.talker.hear('found')).toMatchObject({ id: 2 })
    expect(await server.talker.hear('busy')).toMatchObject({ id: 3 })
  })
})
