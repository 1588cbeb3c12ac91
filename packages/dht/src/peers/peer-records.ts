import type { PeerId } from '@libp2p/interface'
import { NEVER_MS, PeerRecord } from './peer-record.ts'

/** Records kept of peers that are neither connected nor in the routing table. */
export const MAX_PEER_RECORDS = 10_000

/** Records kept of peers that misbehaved. */
export const MAX_MISBEHAVED_PEERS = 4096

const NOTHING = 0
const HARMLESS = 1
const FAILING = 2
const MISBEHAVED = 3
const KNOWN = 4

/**
 * The records of all peers, one each. Records of peers that are connected or in the routing table stay. Of the
 * others, the cheapest to create are evicted first: anyone can invent unreachable peers, but only a peer that
 * connects can misbehave.
 */
export class PeerRecords {
  readonly #records = new Map<string, PeerRecord>()
  /** Records that may be evicted, by their worth; the oldest first. */
  readonly #byWorth: readonly Set<PeerRecord>[] = [new Set(), new Set(), new Set(), new Set()]

  get size(): number {
    return this.#records.size
  }

  get(peer: PeerId): PeerRecord | undefined {
    return this.#records.get(peer.toString())
  }

  values(): IterableIterator<PeerRecord> {
    return this.#records.values()
  }

  /** Changes a peer's record, and keeps it if it then contains anything. */
  update(peer: PeerId, change: (record: PeerRecord) => void): PeerRecord {
    const record = this.get(peer) ?? new PeerRecord(peer)
    change(record)
    this.#file(record)
    return record
  }

  /** Moves a changed record to the end of the records of its worth. */
  #file(record: PeerRecord): void {
    for (const records of this.#byWorth) {
      records.delete(record)
    }

    const worth = worthOf(record)

    if (worth === NOTHING) {
      this.#records.delete(record.id.toString())
      return
    }

    this.#records.set(record.id.toString(), record)
    this.#byWorth[worth]?.add(record)
    this.#evict()
  }

  #evict(): void {
    const [, harmless, failing, misbehaved] = this.#byWorth as [unknown, Kept, Kept, Kept]

    if (misbehaved.size > MAX_MISBEHAVED_PEERS) {
      this.#evictOldest(misbehaved)
    } else if (harmless.size + failing.size + misbehaved.size > MAX_PEER_RECORDS) {
      this.#evictOldest(harmless.size > 0 ? harmless : failing)
    }
  }

  #evictOldest(records: Kept): void {
    for (const record of records) {
      records.delete(record)
      this.#records.delete(record.id.toString())
      return
    }
  }
}

type Kept = Set<PeerRecord>

function worthOf(record: PeerRecord): number {
  if (record.isVerified) {
    return KNOWN
  }

  if (record.bans > 0 || record.isDistrusted) {
    return MISBEHAVED
  }

  if (record.isFailing) {
    return FAILING
  }

  const isNoted =
    record.loss !== undefined ||
    record.isLate ||
    record.referralCredit !== 0 ||
    record.fullAtMs !== NEVER_MS
  return isNoted ? HARMLESS : NOTHING
}
