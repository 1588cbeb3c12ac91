import { type DHTRecord, type DHTTime, EMPTY_RECORD } from '@waggle/record'
import { encodedSize, firstExpiration, lastExpiration, prune } from '@waggle/record/replica'
import { type ByteShare, fitTo, NO_SHARES, sharesOf } from './byte-shares.ts'

/** Writer of records that this node wrote itself, or held when it started. */
export const OWN = ''

/** Writer of records from kad-dht's messages, whose sender the store does not know. */
export const BY_KAD_DHT = 'kad-dht'

/** The time of a record that has never been all that a replica held. */
export const NEVER_FRESH: number = Number.NEGATIVE_INFINITY

/** The time of a record that was all that a replica held, nobody knows when. */
export const LONG_AGO: number = -Number.MAX_VALUE

/**
 * A record in a store, with its metadata. Each change replaces the object, which distinguishes outdated ones in
 * queues.
 */
export interface StoredRecord {
  readonly name: string
  record: DHTRecord

  /** The peer that stored it, as text. */
  readonly writer: string
  readonly sizeBytes: number

  /** Bytes that count for other peers. */
  readonly shares: readonly ByteShare[]

  /** Expiration of the part that expires first. */
  readonly firstExpiration: DHTTime

  /** Expiration of the part that expires last. */
  readonly expirationTime: DHTTime

  /** Time since which a record has been stored under the name, in ms of the process's clock. */
  readonly sinceMs: number

  /** Time of the latest change, in ms of the process's clock. */
  readonly changedMs: number

  /**
   * Time in ms of the process's clock at which it had all that a replica held: {@link NEVER_FRESH} if it may be a
   * part of that. Additions do not make it older.
   */
  freshMs: number

  /**
   * Time in ms of the process's clock at which its plain entry was all that a replica showed, which may have deleted
   * subkeys that expire later: it counts as long as no dictionary is known (R8). `NEVER_FRESH` if it never was.
   */
  plainFreshMs: number

  /** Whether it is still stored. Queues may contain it after it was replaced or dropped. */
  isStored: boolean

  /** Leading bits that its key shares with this node's id. Computed when first needed. */
  nearness?: number

  /** Its encoding. Made when first needed. */
  encoded?: Uint8Array | undefined

  /** Its live part at the last read, if some has expired. The next sweep stores it. */
  rest?: StoredRecord | undefined
}

/** Describes a record that was written, in place of the previous one. */
export function storedRecordOf(
  name: string,
  record: DHTRecord,
  writer: string,
  previous?: StoredRecord
): StoredRecord {
  const changedMs = performance.now()
  const sizeBytes = encodedSize(record) + name.length
  const isShared = previous !== undefined && record.subkeys.size > 0
  return {
    name,
    record,
    sizeBytes,
    changedMs,
    sinceMs: previous?.sinceMs ?? changedMs,
    writer: isShared ? previous.writer : writer,
    shares: isShared ? sharesOf(previous, writer, sizeBytes) : NO_SHARES,
    firstExpiration: firstExpiration(record),
    expirationTime: lastExpiration(record),
    freshMs: previous?.freshMs ?? NEVER_FRESH,
    plainFreshMs: previous?.plainFreshMs ?? NEVER_FRESH,
    isStored: false
  }
}

/** Returns the live part of a record that has not fully expired. Caches it until more has expired. */
export function livePartOf(stored: StoredRecord, now: DHTTime): StoredRecord {
  const latest = stored.rest ?? stored

  if (latest.firstExpiration <= now) {
    stored.rest = pruneStored(latest, now)
  }

  return stored.rest ?? stored
}

function pruneStored(stored: StoredRecord, now: DHTTime): StoredRecord {
  const record = prune(stored.record, now)
  const sizeBytes = encodedSize(record) + stored.name.length
  return {
    ...stored,
    record,
    sizeBytes,
    shares: fitTo(sizeBytes, stored.shares),
    firstExpiration: firstExpiration(record),
    isStored: false,
    encoded: undefined,
    rest: undefined
  }
}

/**
 * Releases the bytes of a record that is no longer stored. Queues may contain it for long, and a peer that
 * repeatedly writes large values to one key would fill memory.
 */
export function releaseBytes(stored: StoredRecord): void {
  stored.record = EMPTY_RECORD
  stored.encoded = undefined
  stored.rest = undefined
}
