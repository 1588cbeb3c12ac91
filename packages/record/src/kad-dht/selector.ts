import { compare } from 'uint8arrays/compare'
import { decodeRecord } from '../codec/decode-record.ts'
import { subsumes } from '../join.ts'
import { DEFAULT_LIMITS, type Limits } from '../limits.ts'
import { lastExpiration, prune } from '../prune.ts'
import { type DHTRecord, EMPTY_RECORD, isEmpty } from '../record.ts'
import { type DHTTime, getDHTTime } from '../time.ts'

/** Selects one of several records of a key, by its index, as kad-dht's selectors do. */
export type RecordSelector = (key: Uint8Array, values: readonly Uint8Array[]) => number

/**
 * Selects the record that a plain kad-dht keeps or returns:
 * `kadDHT({ selectors: { waggle: recordSelector } })`.
 *
 * Never selects a record that another one subsumes, whatever their order. Of records that each
 * add something, it selects the one that expires last, then the one with more subkeys, then the one
 * with the greater bytes, so that every peer selects the same one. Bytes that are not a live record
 * within the default limits come last.
 */
export const recordSelector: RecordSelector = selectorFor(DEFAULT_LIMITS)

/** Makes a selector for a network with other limits than the default ones. */
export function selectorFor(limits: Limits): RecordSelector {
  return (_key, values) => {
    const now = getDHTTime()
    const candidates = values
      .map((bytes, index) => ({ bytes, index, live: decodeLive(bytes, now, limits) }))
      .filter(({ live }) => !isEmpty(live))
    const [best] = candidates
      .filter(({ live }) => !candidates.some((other) => supersedes(other.live, live)))
      .sort(compareCandidates)

    return best?.index ?? 0
  }
}

interface Candidate {
  readonly bytes: Uint8Array
  readonly live: DHTRecord
}

/** The live part of a record; empty if the bytes are not a record. */
function decodeLive(bytes: Uint8Array, now: DHTTime, limits: Limits): DHTRecord {
  try {
    return prune(decodeRecord(bytes, limits), now)
  } catch {
    return EMPTY_RECORD
  }
}

/** Whether `a` contains everything in `b`, and more. */
function supersedes(a: DHTRecord, b: DHTRecord): boolean {
  return subsumes(a, b) && !subsumes(b, a)
}

/** Orders the preferred candidate first. */
function compareCandidates(a: Candidate, b: Candidate): number {
  return (
    lastExpiration(b.live) - lastExpiration(a.live) ||
    b.live.subkeys.size - a.live.subkeys.size ||
    compare(b.bytes, a.bytes)
  )
}
