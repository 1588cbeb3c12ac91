import { type DHTRecord, encodeRecord, isEmpty } from '@waggle/record'
import { encodedSize } from '@waggle/record/replica'
import { Tally } from '../collections/tally.ts'
import type { KeyChange } from '../store/store-listeners.ts'
import { MAX_FORWARDED_BYTES } from './limits.ts'
import type { ForwardRole } from './watch-messages.ts'

/** A key that this node watches for others. */
export interface ForwardedKey {
  readonly record: DHTRecord

  /** Whether replicas notify of it, or may do so soon. */
  readonly isTold: boolean

  /** Whether anybody does, and enough replicas can be reached. */
  readonly isReachable: boolean

  /** Stops watching it for others. */
  end(): void
}

export interface ForwardedKeysInit {
  /** Keys watched for dependants. Those for remote watchers have places of their own. */
  readonly max: number

  /** Watches a key, and calls back with each change. */
  readonly begin: (
    name: string,
    onChange: (change: KeyChange) => void,
    dependence: Dependence
  ) => ForwardedKey
}

/** Bytes that are kept free for the record of another key. */
const SPARE_BYTES: number = 1024 * 1024

/** The peer that wants a key forwarded, and why. */
export interface Dependence {
  readonly peer: string
  readonly role: ForwardRole
}

interface Forwarded extends Dependence {
  readonly key: ForwardedKey

  /** Bytes of its record. */
  bytes: number
}

/**
 * The keys that this node watches for others. Their places and bytes are limited. A key counts for the first peer that
 * depends on it. When places or bytes are scarce, the peer with most gives up its latest key (N13j).
 */
export class ForwardedKeys {
  readonly #init: ForwardedKeysInit
  readonly #keys = new Map<string, Forwarded>()
  #sizeBytes = 0
  #dependedOn = 0
  readonly #encodings = new WeakMap<DHTRecord, Uint8Array>()

  constructor(init: ForwardedKeysInit) {
    this.#init = init
  }

  get size(): number {
    return this.#keys.size
  }

  has(name: string): boolean {
    return this.#keys.has(name)
  }

  /** Watches a key for a peer, unless it does already. Returns whether the peer can rely on it. */
  begin(name: string, onChange: (change: KeyChange) => void, dependence: Dependence): boolean {
    const known = this.#keys.get(name)

    if (known === undefined) {
      return this.#hasPlace(dependence) && this.#beginNew(name, onChange, dependence)
    }

    this.#measure(name)
    return (
      this.has(name) && (dependence.role === 'remote' ? known.key.isReachable : known.key.isTold)
    )
  }

  end(name: string): void {
    const known = this.#keys.get(name)

    if (known !== undefined) {
      this.#keys.delete(name)
      this.#sizeBytes -= known.bytes
      this.#dependedOn -= placesOf(known)
      known.key.end()
    }
  }

  /** Returns the record of a key that is watched for others. */
  record(name: string): DHTRecord | undefined {
    const record = this.#keys.get(name)?.key.record
    return record === undefined || isEmpty(record) ? undefined : record
  }

  /** Returns the bytes of {@link record}. */
  encoded(name: string): Uint8Array | undefined {
    const record = this.record(name)

    if (record === undefined) {
      return undefined
    }

    const bytes = this.#encodings.get(record) ?? encodeRecord(record)
    this.#encodings.set(record, bytes)
    return bytes
  }

  #hasPlace({ peer, role }: Dependence): boolean {
    const isFree = role === 'remote' || this.#dependedOn < this.#init.max
    return (
      (isFree || this.#makeRoom(peer, placesOf)) &&
      (this.#sizeBytes + SPARE_BYTES <= MAX_FORWARDED_BYTES || this.#makeRoom(peer, bytesOf))
    )
  }

  /** Lets go of a key of the peer that uses most, for one that uses less than half as much. */
  #makeRoom(peer: string, useOf: UseOf): boolean {
    const uses = this.#uses(useOf)
    const [heaviest, use] = uses.largest()

    if (heaviest === undefined || use <= 2 * uses.get(peer) + 1) {
      return false
    }

    this.#endOneOf(heaviest, useOf)
    return true
  }

  /** Sums up what the keys of each peer use. */
  #uses(useOf: UseOf): Tally<string> {
    const uses = new Tally<string>()

    for (const key of this.#keys.values()) {
      uses.add(key.peer, useOf(key))
    }

    return uses
  }

  #beginNew(name: string, onChange: (change: KeyChange) => void, { peer, role }: Dependence): true {
    const onMeasured = (change: KeyChange): void => {
      this.#measure(name)
      onChange(change)
    }
    const key = this.#init.begin(name, onMeasured, { peer, role })
    this.#keys.set(name, { key, peer, role, bytes: 0 })
    this.#dependedOn += placesOf({ role })
    this.#measure(name)
    return true
  }

  /**
   * Counts the bytes of a key's record. Beyond the limit, the peer with most loses its latest keys.
   */
  #measure(name: string): void {
    const known = this.#keys.get(name)

    if (known !== undefined) {
      const record = this.record(name)
      const bytes = record === undefined ? 0 : encodedSize(record)
      this.#sizeBytes += bytes - known.bytes
      known.bytes = bytes
    }

    while (this.#sizeBytes > MAX_FORWARDED_BYTES) {
      const [heaviest = ''] = this.#uses(bytesOf).largest()
      this.#endOneOf(heaviest, bytesOf)
    }
  }

  /** Ends the latest key of a peer that uses anything. */
  #endOneOf(peer: string, useOf: UseOf): void {
    const own = [...this.#keys].filter(([, key]) => key.peer === peer && useOf(key) > 0)
    this.end(own.at(-1)?.[0] ?? '')
  }
}

/** A key's use of a scarce resource. */
type UseOf = (key: Forwarded) => number

/** Places for dependants that a key takes. */
function placesOf({ role }: Pick<Forwarded, 'role'>): number {
  return role === 'dependant' ? 1 : 0
}

function bytesOf({ bytes }: Forwarded): number {
  return bytes
}
