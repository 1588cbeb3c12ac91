import { UNLIMITED } from './limits.ts'
import type { DHTTime } from './time.ts'
import { subkeyId } from './values/key.ts'
import type { Key, Subkey, Value } from './values/value.ts'

/** A live value and its expiration. */
export interface Found<V = FoundValue> {
  readonly value: V
  readonly expirationTime: DHTTime

  /** The id of the peer that owns the place and has signed the value; absent if it belongs to nobody (R15). */
  readonly owner?: string
}

/** A plain value, or the dictionary that many peers write together. */
export type FoundValue = Value | Dictionary

/** A Map from subkeys, which finds arrays and bytes by their content. */
export class Dictionary<K = Subkey, V = Value> extends Map<K, Found<V>> {
  /** The arrays and bytes that are subkeys, by their ids. */
  readonly #objects = new Map<string, K>()

  constructor(entries: Iterable<readonly [K, Found<V>]> = []) {
    super()

    for (const [subkey, found] of entries) {
      this.set(subkey, found)
    }
  }

  override get(subkey: K): Found<V> | undefined {
    return super.get(this.#own(subkey))
  }

  override has(subkey: K): boolean {
    return super.has(this.#own(subkey))
  }

  override set(subkey: K, found: Found<V>): this {
    const id = idOf(subkey)
    const own = id === undefined ? subkey : (this.#objects.get(id) ?? subkey)
    id !== undefined && this.#objects.set(id, own)
    return super.set(own, found)
  }

  override delete(subkey: K): boolean {
    const own = this.#own(subkey)
    const id = idOf(subkey)
    id !== undefined && this.#objects.delete(id)
    return super.delete(own)
  }

  override clear(): void {
    this.#objects.clear()
    super.clear()
  }

  #own(subkey: K): K {
    const id = idOf(subkey)
    return id === undefined ? subkey : (this.#objects.get(id) ?? subkey)
  }
}

// To tests and when printed it is the Map that it was made of, whatever it finds.
Object.defineProperty(Dictionary.prototype, 'constructor', { value: Map, configurable: true })

/**
 * Identifies an array or bytes by their content; undefined for a subkey that a Map finds by itself, or never.
 */
function idOf(subkey: unknown): string | undefined {
  if (typeof subkey !== 'object' || subkey === null) {
    return undefined
  }

  try {
    return subkeyId(subkey as Key, UNLIMITED)
  } catch {
    return undefined
  }
}
