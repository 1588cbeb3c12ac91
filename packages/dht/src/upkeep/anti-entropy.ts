import type { PeerInfo } from '@libp2p/interface'
import { type DHTRecord, isEmpty } from '@waggle/record'
import { encodedSize } from '@waggle/record/replica'
import { equals } from 'uint8arrays/equals'
import { pointOfKey } from '../peers/key-space.ts'
import { keyOf, type RecordStore } from '../store/record-store.ts'
import { nextTask } from '../timing/end-of-turn.ts'
import { type ManyOptions, mapMany } from '../timing/many.ts'
import { MAX_KEYS_PER_MESSAGE, TARGET_MESSAGE_BYTES } from '../wire/limits.ts'
import { fingerprintOf } from './fingerprint.ts'
import { MembershipView } from './membership-view.ts'

/** Records processed before other work runs. */
const SLICE = 256

/** Bytes of records in flight. */
export const MAX_RECORD_BYTES_IN_FLIGHT: number = 4 * 1024 * 1024

export interface AntiEntropyInit {
  readonly self: PeerInfo
  readonly store: RecordStore
  readonly numReplicas: number

  /** Requests a peer's fingerprints of its records under some keys. Rejects when the peer does not respond. */
  readonly fingerprints: (peer: PeerInfo, keys: readonly Uint8Array[]) => Promise<Uint8Array[]>

  /** Sends a record to a peer. Rejects when that fails. */
  readonly send: (to: PeerInfo, key: Uint8Array, record: DHTRecord) => Promise<unknown>
}

/** The replicas of one record, as this node sees them. */
interface ReplicaSet {
  /** The nearest peers now, nearest first. */
  readonly owners: readonly string[]

  /** The nearest peers at the last comparison. */
  readonly compared: readonly string[]
  readonly self: string

  /** Whether the record is new since then. */
  readonly isNew: boolean
}

/**
 * Returns the replicas that may be stale and must be compared: those that have become one of the nearest and, for a
 * record that is new here, the next one after this node.
 */
export function findStaleReplicas({ owners, compared, self, isNew }: ReplicaSet): string[] {
  const place = owners.indexOf(self)
  const successor = place === -1 ? undefined : owners[(place + 1) % owners.length]
  return owners.filter(
    (owner) => owner !== self && (!compared.includes(owner) || (isNew && owner === successor))
  )
}

/**
 * Compares this node's records with those of new replicas, and sends the entries that they lack (N7). Hand-overs
 * depend on when each peer learned of others, and peers that join at the same time learn of each other at different
 * times: one may leave a record to another that never learns of the newcomer. So all replicas request the
 * newcomer's fingerprints.
 */
export class AntiEntropy {
  readonly #init: AntiEntropyInit
  #compared = new MembershipView([])
  #startMs = Number.NEGATIVE_INFINITY

  constructor(init: AntiEntropyInit) {
    this.#init = init
  }

  /** Returns whether all queried peers responded and now have all records that they should store. */
  async run(members: MembershipView): Promise<boolean> {
    const sinceMs = this.#startMs
    this.#startMs = performance.now()
    this.#compared.forgetReturned(members)
    const comparisons = new Comparisons((name, keys) => this.#repair(name, members, keys))
    let looked = 0

    for (const name of this.#init.store.names()) {
      const key = keyOf(name)

      for (const owner of this.#staleReplicas(name, members, sinceMs)) {
        await comparisons.add(owner, key)
      }

      if (++looked % SLICE === 0) {
        await nextTask()
      }
    }

    await comparisons.flush()
    this.#compared = members.without(comparisons.failed)
    return comparisons.failed.size === 0
  }

  /**
   * Compares all records with another replica's, such as after a sleep, and calls back with each that differs.
   * Skips a peer that does not respond.
   */
  async findReplaced(
    members: MembershipView,
    onDiffering: (key: Uint8Array) => Promise<void>
  ): Promise<void> {
    const { self, store, numReplicas } = this.#init
    const own = self.id.toString()
    const comparisons = new Comparisons(async (name, keys) => {
      const differing = await this.#differing(name, members, keys)
      await mapMany(differing, ({ key }) => onDiffering(key), DIFFERING)
    })

    for (const [name] of store.live()) {
      const owners = members.nearest(pointOfKey(keyOf(name)), numReplicas)
      const other = owners.find((owner) => owner !== own)
      await (other && comparisons.add(other, keyOf(name)))
    }

    await comparisons.flush()
  }

  #staleReplicas(name: string, members: MembershipView, sinceMs: number): string[] {
    const { self, store, numReplicas } = this.#init
    const point = pointOfKey(keyOf(name))
    return findStaleReplicas({
      owners: members.nearest(point, numReplicas),
      compared: this.#compared.nearest(point, numReplicas),
      self: self.id.toString(),
      isNew: store.heldSinceMs(name) > sinceMs
    })
  }

  /** Sends a peer the records that differ. Rejects when the peer does not respond. */
  async #repair(name: string, members: MembershipView, keys: readonly Uint8Array[]): Promise<void> {
    const contact = members.get(name)?.contact
    const { send } = this.#init

    if (contact !== undefined) {
      const differing = await this.#differing(name, members, keys)
      await mapMany(differing, ({ key, record }) => send(contact, key, record), DIFFERING)
    }
  }

  /** Returns the records that differ from a peer's. Rejects when the peer does not respond. */
  async #differing(
    name: string,
    members: MembershipView,
    keys: readonly Uint8Array[]
  ): Promise<Differing[]> {
    const { fingerprints, store } = this.#init
    const contact = members.get(name)?.contact
    const held = contact === undefined ? [] : await fingerprints(contact, keys)
    return keys
      .map((key, index) => ({ key, record: store.get(key), theirs: held[index] }))
      .filter(({ record, theirs }) => !isEmpty(record) && !isSame(record, theirs))
  }
}

interface Differing {
  readonly key: Uint8Array
  readonly record: DHTRecord
}

/** Limits of differing records in flight. */
const DIFFERING: ManyOptions<Differing> = {
  maxItems: MAX_KEYS_PER_MESSAGE,
  maxBytes: MAX_RECORD_BYTES_IN_FLIGHT,
  bytesOf: ({ record }) => encodedSize(record)
}

function isSame(record: DHTRecord, fingerprint: Uint8Array | undefined): boolean {
  return fingerprint !== undefined && equals(fingerprintOf(record), fingerprint)
}

/** Keys to compare with each peer, gathered until they fill a message. */
class Comparisons {
  readonly failed = new Set<string>()
  readonly #ask: (name: string, keys: readonly Uint8Array[]) => Promise<void>
  readonly #keys = new Map<string, { keys: Uint8Array[]; sizeBytes: number }>()

  constructor(ask: (name: string, keys: readonly Uint8Array[]) => Promise<void>) {
    this.#ask = ask
  }

  async add(name: string, key: Uint8Array): Promise<void> {
    if (this.failed.has(name)) {
      return
    }

    const waiting = this.#keys.get(name) ?? { keys: [], sizeBytes: 0 }
    waiting.keys.push(key)
    waiting.sizeBytes += key.length
    this.#keys.set(name, waiting)

    if (waiting.keys.length === MAX_KEYS_PER_MESSAGE || waiting.sizeBytes >= TARGET_MESSAGE_BYTES) {
      await this.#flush(name, waiting.keys)
    }
  }

  /** Compares the remaining keys. */
  async flush(): Promise<void> {
    await Promise.all([...this.#keys].map(([name, { keys }]) => this.#flush(name, keys)))
  }

  async #flush(name: string, keys: readonly Uint8Array[]): Promise<void> {
    this.#keys.delete(name)

    try {
      await this.#ask(name, keys)
    } catch {
      this.failed.add(name)
    }
  }
}
