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
  type SubkeyId,
  subkeyRecord,
  tombstoneRecord,
  type Value
} from '@waggle/record'
import { textOf } from './bytes-as-text.ts'

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

/** The same write with another expiration. */
export function renewed({ key, record }: Write, expirationTime: DHTTime): Write {
  const { plain } = record
  const subkeys = [...record.subkeys].map(
    ([id, entry]) => [id, { ...entry, expirationTime }] as const
  )
  return {
    key,
    record: {
      ...(plain && { plain: { ...plain, expirationTime } }),
      subkeys: new Map(subkeys)
    },
    isLive: true
  }
}

/** The name of the one place that a write is for. */
export function placeOf({ key, record }: Write): string {
  const [subkey] = record.subkeys.keys()
  return placeName(key, subkey)
}

/** A place's name; those of a key's subkeys begin with that of the key and a separator. */
export function placeName(key: Uint8Array, subkey?: SubkeyId): string {
  const name = textOf(key)
  return subkey === undefined ? name : name + SUBKEY_SEPARATOR + subkey
}

/** Keys are CBOR, in which no key is the beginning of another. */
export const SUBKEY_SEPARATOR = '\0'
