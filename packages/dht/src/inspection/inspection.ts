import type { PeerId } from '@libp2p/interface'
import {
  type DHTRecord,
  type DHTTime,
  EMPTY_RECORD,
  type Found,
  isEmpty,
  join,
  type Limits
} from '@waggle/record'
import { encodedSize, prune, shownExpiration } from '@waggle/record/replica'
import { equals } from 'uint8arrays/equals'
import { toString as stringOf } from 'uint8arrays/to-string'
import { pointOfKey, pointOfPeer, sharedBits } from '../peers/key-space.ts'
import type { Replicas } from '../reading/replicas.ts'
import type { Surveyed } from '../reading/survey.ts'
import { digestOf } from '../store/record-digest.ts'
import type { RecordStore } from '../store/record-store.ts'
import type { CancellationToken } from '../timing/cancellation.ts'

/** Figures of one peer's record. */
export interface RecordFigures {
  /** Live entries, tombstones included. */
  readonly entries: number

  /** Bytes of the record, encoded. */
  readonly bytes: number

  /** Expiration of the reader's view; undefined if it is empty. */
  readonly expirationTime: DHTTime | undefined

  /** First bytes of the record's SHA-256, in hex, for people. Others may begin alike. Undefined without a record. */
  readonly digest: string | undefined
}

/** One peer near a key, and its record. */
export interface InspectedPeer extends RecordFigures {
  readonly peer: PeerId

  /** Leading bits that its point shares with the key's. More bits are nearer. */
  readonly sharedBits: number

  /** `current`: the record contains everything that any of the peers holds; `behind`: it lacks some of it. */
  readonly state: 'current' | 'behind' | 'empty' | 'failed'

  /** `replica`: one of the nearest peers that responded; `copy`: another peer that holds a record. */
  readonly role: 'replica' | 'copy' | 'none'

  /** Milliseconds from the request to the reply. */
  readonly tookMs: number
}

/** The replicas of a key, and each peer's version of it. */
export interface Inspection {
  /** The key's point in the key space: peers near it hold the key. */
  readonly point: Uint8Array

  /** The view of all peers' records merged. */
  readonly found: Found | undefined

  /** Peers near the key, the nearest first. */
  readonly peers: readonly InspectedPeer[]

  /** This node's cached record of the key; undefined if there is none. */
  readonly cached: RecordFigures | undefined
}

export interface InspectionInit {
  readonly key: Uint8Array
  readonly replicas: Pick<Replicas, 'survey' | 'known'>
  readonly store: RecordStore
  readonly numReplicas: number
  readonly cancellation: CancellationToken
}

/** Peers queried for each replica: those behind the nearest may hold older records. */
const PEERS_PER_REPLICA = 2

/** Hex digits of a digest. */
const DIGEST_DIGITS = 8

/** Queries the peers near a key for their records. */
export async function inspect(init: InspectionInit): Promise<Inspection> {
  const { cancellation, key, numReplicas, replicas, store } = init
  const surveyed = await replicas.survey(key, PEERS_PER_REPLICA * numReplicas, cancellation)
  const now = store.clock()
  const cached = prune(replicas.known.cache?.get(key) ?? EMPTY_RECORD, now)
  const all = prune(joinAll(surveyed, store.limits), now)
  const replies = surveyed.filter(({ record }) => record !== undefined)
  const nearest = new Set(replies.slice(0, numReplicas))
  const point = pointOfKey(key)

  return {
    point,
    found: await store.checks.show(key, all),
    peers: surveyed.map((one) => ({
      peer: one.contact.id,
      sharedBits: sharedBits(point, pointOfPeer(one.contact.id)),
      ...describe(one, all, { isNearest: nearest.has(one), now }),
      tookMs: one.tookMs
    })),
    cached: isEmpty(cached) ? undefined : figuresOf(cached, now)
  }
}

function joinAll(surveyed: readonly Surveyed[], limits: Limits): DHTRecord {
  return surveyed.reduce(
    (all, { record = EMPTY_RECORD }) => join(all, record, limits),
    EMPTY_RECORD
  )
}

function describe(
  { record }: Surveyed,
  all: DHTRecord,
  { isNearest, now }: { readonly isNearest: boolean; readonly now: DHTTime }
): Omit<InspectedPeer, 'peer' | 'sharedBits' | 'tookMs'> {
  const live = record && prune(record, now)
  return {
    state: stateOf(live, all),
    role: roleOf(live ?? EMPTY_RECORD, isNearest),
    ...figuresOf(live ?? EMPTY_RECORD, now)
  }
}

function stateOf(record: DHTRecord | undefined, all: DHTRecord): InspectedPeer['state'] {
  if (record === undefined) {
    return 'failed'
  }

  if (isEmpty(record)) {
    return 'empty'
  }

  return equals(digestOf(record), digestOf(all)) ? 'current' : 'behind'
}

function roleOf(record: DHTRecord, isNearest: boolean): InspectedPeer['role'] {
  return isNearest ? 'replica' : isEmpty(record) ? 'none' : 'copy'
}

function figuresOf(record: DHTRecord, now: DHTTime): RecordFigures {
  return {
    entries: record.subkeys.size + Number(record.plain !== undefined),
    bytes: isEmpty(record) ? 0 : encodedSize(record),
    expirationTime: shownExpiration(record, now),
    digest: isEmpty(record) ? undefined : digestText(record)
  }
}

function digestText(record: DHTRecord): string {
  return stringOf(digestOf(record), 'hex').slice(0, DIGEST_DIGITS)
}
