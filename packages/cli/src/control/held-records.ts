import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DHT, HeldRecord } from '@waggle/dht'
import { recordKey, type Value, view } from '@waggle/record'
import { lastExpiration } from '@waggle/record/replica'
import { shown } from '../text/value-text.ts'
import { ringPosition } from './ring.ts'

/** A stored record, cut to fit a line. */
export interface RecordInShort {
  readonly key: string
  readonly value: string
  readonly position: number
  readonly expirationTime: number
}

/** The records whose keys contain a text. */
export interface RecordPage {
  /** The matching records that expire first, in order of expiration. */
  readonly records: readonly RecordInShort[]

  /** Number of all matching records. */
  readonly matches: number
}

/** Characters kept of a text: more than a line shows. */
const MAX_TEXT_LENGTH = 200

/** Records scanned before other work runs. */
const RECORDS_PER_TURN = 500

/** Records whose positions on the ring stand for all. */
const MAX_SAMPLED = 2000

/** Lists the records that expire first. */
export function firstToExpire(held: Iterable<HeldRecord>, count: number): RecordInShort[] {
  const first = new FirstToExpire(count)

  for (const one of count === 0 ? [] : held) {
    first.offer(one)
  }

  return first.inShort()
}

/** Finds the records whose keys contain a text. Other work runs in between. */
export async function searchRecords(dht: DHT, text: string, count: number): Promise<RecordPage> {
  const wanted = text.toLowerCase()
  const first = new FirstToExpire(count)
  let [seen, matches] = [0, 0]

  for (const held of dht.heldRecords()) {
    if (wanted === '' || shown(held.key).toLowerCase().includes(wanted)) {
      matches++
      first.offer(held)
    }

    if (++seen % RECORDS_PER_TURN === 0) {
      await nextTurn()
    }
  }

  return { records: first.inShort(), matches }
}

/** Counts the records in each of a number of equal parts of the ring, or a sample of them. */
export async function recordsOnRing(dht: DHT, parts: number): Promise<number[]> {
  const counts = new Array<number>(parts).fill(0)
  const step = Math.max(Math.ceil(dht.stats().records / MAX_SAMPLED), 1)
  let seen = 0

  for (const { key } of everyNth(dht.heldRecords(), step)) {
    const part = Math.floor(ringPosition(recordKey(key)) * parts)
    counts[part] = (counts[part] ?? 0) + step

    if (++seen % RECORDS_PER_TURN === 0) {
      await nextTurn()
    }
  }

  return counts
}

function* everyNth<T>(all: Iterable<T>, step: number): Generator<T> {
  let index = 0

  for (const one of all) {
    if (index++ % step === 0) {
      yield one
    }
  }
}

/** Selects the records that expire first, in bounded memory. */
class FirstToExpire {
  readonly #count: number
  readonly #first: { readonly held: HeldRecord; readonly at: number }[] = []

  constructor(count: number) {
    this.#count = count
  }

  offer(held: HeldRecord): void {
    const at = lastExpiration(held.record)

    if (this.#first.length < this.#count || at < (this.#first.at(-1)?.at ?? 0)) {
      const later = this.#first.findIndex((other) => other.at > at)
      this.#first.splice(later === -1 ? this.#first.length : later, 0, { held, at })
      this.#first.splice(this.#count)
    }
  }

  inShort(): RecordInShort[] {
    return this.#first.map(({ held }) => inShort(held))
  }
}

function inShort({ key, record }: HeldRecord): RecordInShort {
  return {
    key: shown(key).slice(0, MAX_TEXT_LENGTH),
    value: valueInShort(view(record)?.value).slice(0, MAX_TEXT_LENGTH),
    position: ringPosition(recordKey(key)),
    expirationTime: lastExpiration(record)
  }
}

function valueInShort(value: NonNullable<ReturnType<typeof view>>['value'] | undefined): string {
  if (value === undefined) {
    return '(deleted)'
  }

  return value instanceof Map
    ? `{${value.size === 1 ? '1 subkey' : `${value.size} subkeys`}}`
    : shown(value as Value)
}
