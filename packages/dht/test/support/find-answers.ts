import type { FindKey, FoundAnswer } from '../../src/exchange/messages.ts'

/** Asks for a whole record, of which the asker knows nothing. */
export function findKey(key: Uint8Array): FindKey {
  return { key, subkeys: [], digest: new Uint8Array(0) }
}

/** Returns the keys of a FIND. */
export function keysOf(keys: readonly FindKey[]): Uint8Array[] {
  return keys.map(({ key }) => key)
}

/** Makes the answer of a peer without a record. */
export function nothing(closer: readonly number[] = []): FoundAnswer {
  return { standing: 'nothing', closer }
}

/** Makes the answer of a replica. */
export function held(record: Uint8Array, closer: readonly number[] = []): FoundAnswer {
  return { standing: 'held', record, closer }
}

/** Returns the record of an answer. */
export function recordIn(answer: FoundAnswer | undefined): Uint8Array | undefined {
  return answer !== undefined && 'record' in answer ? answer.record : undefined
}
