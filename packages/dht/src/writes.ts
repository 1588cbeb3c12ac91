import {
  type DHTRecord,
  type DHTTime,
  expirationOf,
  type Key,
  type Lifetime,
  type Limits,
  plainRecord,
  recordKey,
  type Subkey,
  subkeyRecord,
  tombstoneRecord,
  type Value
} from '@waggle/record'

/** A write as replicas take it. */
export interface Write {
  readonly key: Uint8Array
  readonly record: DHTRecord

  /** Whether it would count for anything now. One in the past is not an error (R14). */
  readonly isLive: boolean
}

/** What the caller's arguments are judged by. */
export interface WriteRules {
  readonly now: DHTTime
  readonly limits: Limits
}

interface Place extends Lifetime {
  readonly key: Key
  readonly subkey?: Subkey | undefined
}

/** Turns what a caller wants stored into a write, or throws what is wrong with it. */
export function storing({ value, ...place }: Place & { value: Value }, rules: WriteRules): Write {
  return write(place, rules, (expirationTime) =>
    place.subkey === undefined
      ? plainRecord(value, expirationTime, rules.limits)
      : subkeyRecord(place.subkey, value, expirationTime, rules.limits)
  )
}

/** Turns what a caller wants deleted into a write, or throws what is wrong with it. */
export function deleting(place: Place, rules: WriteRules): Write {
  return write(place, rules, (expirationTime) =>
    tombstoneRecord(expirationTime, { subkey: place.subkey, limits: rules.limits })
  )
}

function write(
  place: Place,
  { now, limits }: WriteRules,
  recordUntil: (expirationTime: DHTTime) => DHTRecord
): Write {
  const expirationTime = expirationOf(place, now, limits)
  return {
    key: recordKey(place.key, limits),
    record: recordUntil(expirationTime),
    isLive: expirationTime > now
  }
}
