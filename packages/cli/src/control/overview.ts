import process from 'node:process'
import type { DHT, HeldRecord, Stats } from '@waggle/dht'
import { recordKey, type Value, view } from '@waggle/record'
import { lastExpiration } from '@waggle/record/replica'
import { shown } from '../text/value-text.ts'
import { VERSION } from '../version.ts'
import { ringPosition } from './ring.ts'

/** The state of a node. */
export interface Overview {
  readonly peerId: string
  readonly pid: number
  readonly version: string
  readonly uptimeSeconds: number
  readonly addresses: readonly string[]

  /** First of the ports on which the node finds other nodes of this machine. */
  readonly localPort: number
  readonly stats: Stats
  readonly counters: Counters

  /** The node's position on the ring of keys, from 0 to 1. */
  readonly position: number
  readonly peers: readonly PeerPlace[]

  /** The records that expire first, in order of expiration. */
  readonly records: readonly RecordInShort[]
}

/** Counts since the node started; undefined if it has no metrics. */
export interface Counters {
  readonly stored?: number
  readonly expired?: number
  readonly receivedBytes?: number
  readonly sentBytes?: number
  readonly cpuSeconds: number
}

/** A connected peer with its position on the ring. */
export interface PeerPlace {
  readonly id: string
  readonly position: number
}

/** A stored record, cut to fit a line. */
export interface RecordInShort {
  readonly key: string
  readonly value: string
  readonly position: number
  readonly expirationTime: number
}

/** The counts that come from the metrics. */
export type CountedByMetrics = Omit<Counters, 'cpuSeconds'>

/** The sources of an overview. */
export interface OverviewInit {
  readonly dht: DHT
  readonly counted: () => Promise<CountedByMetrics>
  readonly localPort: number
}

/** Characters kept of a text: more than a line shows. */
const MAX_TEXT_LENGTH = 200

/** Gathers the state of a node, with at most `count` of its records. */
export async function overviewOf(
  { dht, counted, localPort }: OverviewInit,
  count: number
): Promise<Overview> {
  const { user, system } = process.cpuUsage()
  return {
    peerId: dht.peerId.toString(),
    pid: process.pid,
    version: VERSION,
    uptimeSeconds: process.uptime(),
    addresses: dht.multiaddrs.map(String),
    localPort,
    stats: dht.stats(),
    counters: { ...(await counted()), cpuSeconds: (user + system) / 1e6 },
    position: ringPosition(dht.peerId.toMultihash().bytes),
    peers: dht.peers.map((id) => ({
      id: id.toString(),
      position: ringPosition(id.toMultihash().bytes)
    })),
    records: firstToExpire(dht.heldRecords(), count).map(inShort)
  }
}

/** Selects the records that expire first, in memory bounded by `count`. */
function firstToExpire(held: Iterable<HeldRecord>, count: number): HeldRecord[] {
  const first: { held: HeldRecord; at: number }[] = []

  for (const one of held) {
    const at = lastExpiration(one.record)

    if (first.length < count || at < (first.at(-1)?.at ?? 0)) {
      const later = first.findIndex((other) => other.at > at)
      first.splice(later === -1 ? first.length : later, 0, { held: one, at })
      first.splice(count)
    }
  }

  return first.map(({ held }) => held)
}

function inShort({ key, record }: HeldRecord): RecordInShort {
  return {
    key: shown(key).slice(0, MAX_TEXT_LENGTH),
    value: valueInShort(view(record)?.value).slice(0, MAX_TEXT_LENGTH),
    position: ringPosition(recordKey(key)),
    expirationTime: lastExpiration(record)
  }
}

function valueInShort(value: NonNullable<ReturnType<typeof view>>['value'] | undefined): string {
  if (value === undefined) {
    return '(deleted)'
  }

  return value instanceof Map
    ? `{${value.size === 1 ? '1 subkey' : `${value.size} subkeys`}}`
    : shown(value as Value)
}
