import type { PeerInfo } from '@libp2p/interface'
import { type DHTRecord, isEmpty } from '@waggle/record'
import { encodedSize } from '@waggle/record/replica'
import { equals } from 'uint8arrays/equals'
import { pointOfKey } from '../peers/key-space.ts'
import { keyOf, type RecordStore } from '../store/record-store.ts'
import { mapMany } from '../timing/many.ts'
import { MAX_KEYS_PER_MESSAGE, TARGET_MESSAGE_BYTES } from '../wire/limits.ts'
import { fingerprintOf } from './fingerprint.ts'
import { MembershipView } from './membership-view.ts'

/** Records looked at before other work gets its turn. */
const SLICE = 256

/** Bytes of records under way at once. */
export const MAX_BYTES_UNDER_WAY: number = 4 * 1024 * 1024

export interface AntiEntropyInit {
  readonly self: PeerInfo
  readonly store: RecordStore
  readonly numReplicas: number

  /** What a peer holds under each of the keys; rejects when it does not answer. */
  readonly fingerprints: (peer: PeerInfo, keys: readonly Uint8Array[]) => Promise<Uint8Array[]>

  /** Brings a record to a peer; rejects when it could not. */
  readonly send: (to: PeerInfo, key: Uint8Array, record: DHTRecord) => Promise<unknown>
}

/** One record that one peer may lack. */
interface Suspects {
  /** Nearest first, as this node sees it now. */
  readonly owners: readonly string[]

  /** Who was among the nearest when it was last made sure. */
  readonly audited: readonly string[]
  readonly self: string

  /** Whether the record came after that. */
  readonly isNew: boolean
}

/**
 * The nearest peers of which it has to be made sure that they hold a record: those that have come to
 * be among them, and for a record that was not yet here the last time, the next one after this node.
 */
export function findStaleReplicas({ owners, audited, self, isNew }: Suspects): string[] {
  const place = owners.indexOf(self)
  const successor = place === -1 ? undefined : owners[(place + 1) % owners.length]
  return owners.filter(
    (owner) => owner !== self && (!audited.includes(owner) || (isNew && owner === successor))
  )
}

/**
 * Makes sure that those who came lately do hold what they should (N7). Who hands over what is a
 * matter of who knew whom when, and peers that join at once know each other at different times: one
 * may leave a record to another that never learns of it. So all who hold it ask the newcomer, by
 * fingerprints, and bring it what it has not.
 */
export class AntiEntropy {
  readonly #init: AntiEntropyInit
  #audited = new MembershipView([])
  #startMs = Number.NEGATIVE_INFINITY

  constructor(init: AntiEntropyInit) {
    this.#init = init
  }

  /** Whether all that had to be asked answered, and hold all that they should. */
  async run(present: MembershipView): Promise<boolean> {
    const sinceMs = this.#startMs
    this.#startMs = performance.now()
    this.#audited.forgetReturned(present)
    const asked = new Questions((name, keys) => this.#mend(name, present, keys))
    let looked = 0

    for (const name of this.#init.store.names()) {
      const key = keyOf(name)

      for (const owner of this.#suspects(name, present, sinceMs)) {
        await asked.add(owner, key)
      }

      if (++looked % SLICE === 0) {
        await new Promise((resolve) => setTimeout(resolve))
      }
    }

    await asked.flush()
    this.#audited = present.without(asked.failed)
    return asked.failed.size === 0
  }

  #suspects(name: string, present: MembershipView, sinceMs: number): string[] {
    const { self, store, numReplicas } = this.#init
    const point = pointOfKey(keyOf(name))
    return findStaleReplicas({
      owners: present.nearest(point, numReplicas),
      audited: this.#audited.nearest(point, numReplicas),
      self: self.id.toString(),
      isNew: store.heldSinceMs(name) > sinceMs
    })
  }

  /** Brings a peer what it holds differently; rejects when it does not answer. */
  async #mend(name: string, present: MembershipView, keys: readonly Uint8Array[]): Promise<void> {
    const contact = present.get(name)?.contact

    if (contact === undefined) {
      return
    }

    const { fingerprints, store, send } = this.#init
    const held = await fingerprints(contact, keys)
    const differing = keys
      .map((key, index) => ({ key, record: store.get(key), theirs: held[index] }))
      .filter(({ record, theirs }) => !isEmpty(record) && !isSame(record, theirs))

    await mapMany(differing, ({ key, record }) => send(contact, key, record), {
      maxItems: MAX_KEYS_PER_MESSAGE,
      maxBytes: MAX_BYTES_UNDER_WAY,
      bytesOf: ({ record }) => encodedSize(record)
    })
  }
}

function isSame(record: DHTRecord, fingerprint: Uint8Array | undefined): boolean {
  return fingerprint !== undefined && equals(fingerprintOf(record), fingerprint)
}

/** What peers are to be asked, gathered until it fills a message. */
class Questions {
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

  /** Asks what has not been asked yet. */
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
