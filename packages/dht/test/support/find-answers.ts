import type { FindKey, FoundAnswer } from '../../src/exchange/messages.ts'

/** A key of which the whole record is wanted, and nothing is known. */
export function findKey(key: Uint8Array): FindKey {
  return { key, subkeys: [], digest: new Uint8Array(0) }
}

/** The keys of a FIND. */
export function keysOf(keys: readonly FindKey[]): Uint8Array[] {
  return keys.map(({ key }) => key)
}

/** The answer of a peer that has nothing. */
export function nothing(closer: readonly number[] = []): FoundAnswer {
  return { standing: 'nothing', closer }
}

/** The answer of a replica. */
export function held(record: Uint8Array, closer: readonly number[] = []): FoundAnswer {
  return { standing: 'held', record, closer }
}

/** The record of an answer. */
export function recordIn(answer: FoundAnswer | undefined): Uint8Array | undefined {
  return answer !== undefined && 'record' in answer ? answer.record : undefined
}
