import { compare } from 'uint8arrays/compare'
import { DEFAULT_LIMITS } from './constants.ts'
import { decodeRecord } from './decode-record.ts'
import type { DHTRecord, DHTTime, Limits } from './interface.ts'
import { EMPTY_RECORD, isEmpty, lastExpiration, prune, subsumes } from './record.ts'
import { getDHTTime } from './time.ts'

/** Picks one of several records for a key, by its index: what kad-dht calls a selector. */
export type RecordSelector = (key: Uint8Array, values: readonly Uint8Array[]) => number

/**
 * Which of the records a stock kad-dht should keep or return:
 * `kadDHT({ selectors: { waggle: recordSelector } })`. Never one that another subsumes, whatever
 * their order. Among records that each say something of their own: the one that is true longest,
 * then the one with more subkeys, then the greater bytes, so that every peer prefers the same
 * one. Bytes that are no live record within the default limits come last.
 */
export const recordSelector: RecordSelector = selectorFor(DEFAULT_LIMITS)

/** The same for a network with other limits: what is beyond these comes last. */
export function selectorFor(limits: Limits): RecordSelector {
  return (_key, values) => {
    const now = getDHTTime()
    const candidates = values
      .map((bytes, index) => ({ bytes, index, live: liveRecord(bytes, now, limits) }))
      .filter(({ live }) => !isEmpty(live))
    const [best] = candidates
      .filter(({ live }) => !candidates.some((other) => saysMore(other.live, live)))
      .sort(compareCandidates)

    return best?.index ?? 0
  }
}

interface Candidate {
  readonly bytes: Uint8Array
  readonly live: DHTRecord
}

function liveRecord(bytes: Uint8Array, now: DHTTime, limits: Limits): DHTRecord {
  try {
    return prune(decodeRecord(bytes, limits), now)
  } catch {
    return EMPTY_RECORD
  }
}

function saysMore(a: DHTRecord, b: DHTRecord): boolean {
  return subsumes(a, b) && !subsumes(b, a)
}

/** The preferred one first. */
function compareCandidates(a: Candidate, b: Candidate): number {
  return (
    lastExpiration(b.live) - lastExpiration(a.live) ||
    b.live.subkeys.size - a.live.subkeys.size ||
    compare(b.bytes, a.bytes)
  )
}
