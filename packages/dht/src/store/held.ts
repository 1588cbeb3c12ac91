import { type DHTRecord, type DHTTime, EMPTY_RECORD } from '@waggle/record'
import { encodedSize, firstExpiration, lastExpiration, prune } from '@waggle/record/replica'
import { type Charge, chargesOf, fitting, NONE } from './byte-shares.ts'

/** Who stored what this node wrote itself, or held when it started. */
export const OWN = ''

/** Who stored what came by kad-dht's messages, which don't tell the store from whom. */
export const BY_KAD_DHT = 'kad-dht'

/** What is held for one key. Replaced whole with every change, so that queued ones can be told apart. */
export interface Held {
  readonly name: string
  record: DHTRecord

  /** The peer that stored it, as text. */
  readonly storer: string
  readonly sizeBytes: number

  /** What of these bytes counts for other peers. */
  readonly charges: readonly Charge[]

  /** When some of it expires, and when the last of it does. */
  readonly firstExpiration: DHTTime
  readonly expirationTime: DHTTime

  /** Since when anything has been held under the name, in ms of the process's clock. */
  readonly sinceMs: number

  /** When it was changed last. */
  readonly changedMs: number

  /** Whether it has not been replaced or dropped since; queues may contain it all the same. */
  isHeld: boolean

  /** How near to this node its key is: the leading bits that they share. Found out when first asked for. */
  nearness?: number

  /** Made when first asked for. */
  encoded?: Uint8Array | undefined

  /** What was left of it when it was last read, if some has expired. Counted from the next sweep on. */
  rest?: Held | undefined
}

/** What is to be held when a record has been written, in place of what was held before. */
export function heldOf(name: string, record: DHTRecord, writer: string, previous?: Held): Held {
  const changedMs = performance.now()
  const sizeBytes = encodedSize(record) + name.length
  const isShared = previous !== undefined && record.subkeys.size > 0
  return {
    name,
    record,
    sizeBytes,
    changedMs,
    sinceMs: previous?.sinceMs ?? changedMs,
    storer: isShared ? previous.storer : writer,
    charges: isShared ? chargesOf(previous, writer, sizeBytes) : NONE,
    firstExpiration: firstExpiration(record),
    expirationTime: lastExpiration(record),
    isHeld: false
  }
}

/** What is left at that moment of what has not expired altogether; remembered until more of it has. */
export function restOf(held: Held, now: DHTTime): Held {
  const latest = held.rest ?? held

  if (latest.firstExpiration <= now) {
    held.rest = pruned(latest, now)
  }

  return held.rest ?? held
}

function pruned(held: Held, now: DHTTime): Held {
  const record = prune(held.record, now)
  const sizeBytes = encodedSize(record) + held.name.length
  return {
    ...held,
    record,
    sizeBytes,
    charges: fitting(held.charges, sizeBytes),
    firstExpiration: firstExpiration(record),
    isHeld: false,
    encoded: undefined,
    rest: undefined
  }
}

/**
 * Lets go of the bytes of what is held no more. Queues may know it for as long as they know others,
 * and who writes large values to one key again and again would have them all kept.
 */
export function forgetRecord(held: Held): void {
  held.record = EMPTY_RECORD
  held.encoded = undefined
  held.rest = undefined
}
