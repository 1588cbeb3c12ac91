import { fromString } from 'uint8arrays/from-string'
import {
  type DHTRecord,
  type Entry,
  join,
  type Key,
  plainRecord,
  type Subkey,
  type SubkeyId,
  subkeyRecord,
  tombstoneRecord,
  type Value
} from '../src/index.ts'
import { subkeyId } from '../src/replica.ts'

/*
 * How fixtures/records.json writes records down. Values are JSON, and what JSON does not have is
 * an object with one property: { "$bytes": "00ff" }, { "$bigint": "-1" }, { "$number": "-0" },
 * or { "$nested": 256 } for so many arrays inside each other.
 */

export interface DescribedEntry {
  expirationTime: number
  /** Absent from a tombstone. */
  value?: unknown
  /** Hexadecimal of one byte that the signature repeats. */
  signature?: string
}

export interface DescribedRecord {
  plain?: DescribedEntry
  /** In the order of their bytes. */
  subkeys?: [unknown, DescribedEntry][]
}

export interface Fixtures {
  good: { name: string; hex: string; record: DescribedRecord }[]
  bad: { name: string; hex: string; reason: string }[]
  keys: { key: unknown; hex: string }[]
}

export function bytesOf(hex: string): Uint8Array {
  return fromString(hex.replaceAll(' ', ''), 'hex')
}

export function describedValue(described: unknown): Value {
  if (Array.isArray(described)) {
    return described.map(describedValue)
  }

  if (described === null || typeof described !== 'object') {
    return described as Value
  }

  const properties = Object.entries(described)
  const [name, content] = properties[0] ?? []
  const special = properties.length === 1 ? SPECIAL[name as string] : undefined
  return (
    special?.(content) ??
    Object.fromEntries(properties.map(([name, inside]) => [name, describedValue(inside)]))
  )
}

export function describedKey(described: unknown): Key {
  return describedValue(described) as Key
}

/** The record made from the description with the library's own functions. */
export function describedRecord({ plain, subkeys = [] }: DescribedRecord): DHTRecord {
  const start: DHTRecord = plain === undefined ? { subkeys: new Map() } : plainOf(plain)

  return subkeys.reduce((held, [subkey, entry]) => join(held, dictionaryOf(subkey, entry)), start)
}

const SPECIAL: Record<string, (content: unknown) => Value> = {
  $bytes: (hex) => bytesOf(hex as string),
  $bigint: (digits) => BigInt(digits as string),
  $number: (digits) => Number(digits),
  $nested: (depth) =>
    Array.from({ length: (depth as number) - 1 }).reduce<Value>((inside) => [inside], [])
}

function plainOf(entry: DescribedEntry): DHTRecord {
  const { expirationTime } = entry
  const { plain } =
    'value' in entry
      ? plainRecord(describedValue(entry.value), expirationTime)
      : tombstoneRecord(expirationTime)
  return { plain: signed(plain as Entry, entry), subkeys: new Map() }
}

function dictionaryOf(described: unknown, entry: DescribedEntry): DHTRecord {
  const { expirationTime } = entry
  const subkey: Subkey = describedKey(described)
  const id: SubkeyId = subkeyId(subkey)
  const { subkeys } =
    'value' in entry
      ? subkeyRecord(subkey, describedValue(entry.value), expirationTime)
      : tombstoneRecord(expirationTime, { subkey })
  return { subkeys: new Map([[id, signed(subkeys.get(id) as Entry, entry)]]) }
}

function signed(entry: Entry, { signature }: DescribedEntry): Entry {
  return signature === undefined ? entry : { ...entry, signature: bytesOf(signature.repeat(64)) }
}
