import type { PeerInfo } from '@libp2p/interface'
import {
  apply,
  EMPTY_RECORD,
  join,
  plainRecord,
  recordKey,
  subkeyRecord,
  tombstoneRecord,
  view
} from '@waggle/record'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_NUM_REPLICAS } from '../../src/constants.ts'
import { KnownRecords } from '../../src/reading/known-records.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { NEVER_FRESH } from '../../src/store/stored-record.ts'
import { law } from '../support/effort.ts'
import { manualClock } from '../support/manual-clock.ts'
import { contacts, nearestFirst, pointOf } from '../support/numbered-peers.ts'

const KEY = recordKey('key')
const OLD = plainRecord('old', 100)
const NEW = plainRecord('new', 200)

const record = fc.oneof(
  fc.integer({ min: 1, max: 5 }).map((end) => plainRecord('value', end)),
  fc
    .tuple(fc.nat(2), fc.integer({ min: 1, max: 5 }))
    .map(([subkey, end]) => subkeyRecord(subkey, 'value', end))
)
const event = fc.tuple(fc.constantFrom('join', 'leave', 'pushed', 'learned', 'read'), record)

/** Makes the known records of a node to which a number of 8 peers are nearer to the key. */
function knownAt(rank: number, { isReplica = true, hasCache = true, others = 8 } = {}) {
  const clock = manualClock(0)
  const peers = nearestFirst(pointOf(KEY), contacts(8))
  const self = peers[rank] as PeerInfo
  const known = peers.filter((peer) => peer !== self).slice(0, others)
  const store = new RecordStore({ clock })
  const cache = hasCache ? new RecordStore({ clock }) : undefined
  let nearer: PeerInfo[] = []
  const records = new KnownRecords({
    ...{ store, cache, self: self.id },
    routing: { nearest: (_, count) => [...nearer, ...known].slice(0, count) },
    numReplicas: DEFAULT_NUM_REPLICAS,
    isReplica: () => isReplica
  })

  /** Adds as many nearer peers as there are replicas. */
  const joinNearer = (): void => {
    nearer = peers.slice(0, Math.min(rank, DEFAULT_NUM_REPLICAS))
  }

  const leave = (): void => {
    nearer = []
  }
  return { records, store, cache, joinNearer, leave }
}

describe('KnownRecords', () => {
  it('takes a node for a replica of the keys that it is one of the nearest to (N5a)', () => {
    const ranks = Array.from({ length: 8 }, (_, rank) => rank)
    const replicas = ranks.filter((rank) => knownAt(rank).records.isReplicaOf(KEY))

    expect(replicas).toEqual([0, 1, 2, 3, 4])
    expect(knownAt(7, { others: 4 }).records.isReplicaOf(KEY)).toBe(true)
    expect(knownAt(0, { isReplica: false }).records.isReplicaOf(KEY)).toBe(false)
  })

  it('has what a replica stores, and nothing that was pushed to another node (N5a)', () => {
    const [replica, other] = [knownAt(4), knownAt(5)]
    replica.store.apply(KEY, OLD, 'stranger')
    other.store.apply(KEY, OLD, 'stranger')

    expect(replica.records.get(KEY)).toMatchObject({ record: OLD, isByCache: false })
    expect(other.records.get(KEY)).toMatchObject({ record: EMPTY_RECORD, isByCache: false })
  })

  it('has what it has learned, joined with what it stores (N5a)', () => {
    const { records, store } = knownAt(4)
    records.learn(KEY, NEW, { isCached: true })
    store.apply(KEY, OLD, 'stranger')

    expect(records.get(KEY)).toMatchObject({ record: NEW, isByCache: true })
  })

  it('keeps what it has learned as a replica when it is none any more, and no more (N5a)', () => {
    const { records, store, cache, joinNearer } = knownAt(7, { others: 0 })
    store.apply(KEY, OLD, 'stranger')
    records.learn(KEY, OLD, { isCached: true })
    expect(cache?.records).toBe(0)

    joinNearer()
    expect(records.isReplicaOf(KEY)).toBe(false)
    expect(records.get(KEY)).toMatchObject({ record: OLD, isByCache: true, freshMs: NEVER_FRESH })
    store.apply(KEY, NEW, 'stranger')
    expect(records.get(KEY)).toMatchObject({ record: OLD, isByCache: true, freshMs: NEVER_FRESH })
  })

  it('keeps what it was shown, wherever it is kept, while it is a replica and not (N5b)', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const { records, store, joinNearer, leave } = knownAt(7, { others: 0 })
        let shown = EMPTY_RECORD

        for (const [kind, record] of events) {
          switch (kind) {
            case 'join':
              joinNearer()
              break
            case 'leave':
              leave()
              break
            case 'pushed':
              store.apply(KEY, record, 'stranger')
              break
            case 'learned':
              records.learn(KEY, record, { isCached: true })
              shown = apply(shown, record, { now: 0, limits: store.limits }).record
              break
            default:
              shown = records.show(KEY).record
          }

          const { record: known } = records.get(KEY)
          expect(view(join(known, shown, store.limits), 0)).toEqual(view(known, 0))
        }
      }),
      law(2000)
    )
  })

  it('brings what it stores up to date, so that it tells others nothing older (N5a)', () => {
    for (const hasCache of [true, false]) {
      const { records, store, cache } = knownAt(7, { hasCache })
      store.apply(KEY, OLD, 'stranger')
      records.learn(KEY, tombstoneRecord(150), { isCached: true })

      expect(store.get(KEY)).toEqual(tombstoneRecord(150))
      expect(cache?.get(KEY)).toEqual(hasCache ? tombstoneRecord(150) : undefined)
    }
  })

  it('stores what it does not cache, as a replica and nowhere else (N5a)', () => {
    for (const isCached of [true, false]) {
      const [replica, other] = [knownAt(0), knownAt(7)]
      replica.records.learn(KEY, NEW, { isCached })
      other.records.learn(KEY, NEW, { isCached })

      expect([replica.store.records, replica.cache?.records]).toEqual(isCached ? [0, 1] : [1, 0])
      expect([other.store.records, other.cache?.records]).toEqual(isCached ? [0, 1] : [0, 0])
    }
  })
})
