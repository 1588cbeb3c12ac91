import type { Logger, TypedEventTarget } from '@libp2p/interface'
import { type DHTRecord, encodedSize, isEmpty } from '@waggle/record'
import type { DHTEvents } from '../events.ts'
import type { Contact, Wanted } from '../interface.ts'
import { pointOfKey } from '../lookup/key-space.ts'
import { PeerIndex } from '../lookup/peer-index.ts'
import { mapMany } from '../many.ts'
import { keyOf, type RecordStore } from '../store/record-store.ts'
import { Alarm } from '../timing/alarm.ts'
import { newOwners } from './hand-over.ts'

export interface UpkeepInit {
  readonly self: Contact
  readonly store: RecordStore
  readonly numReplicas: number

  /** Whether this node holds records for others: a client does not. */
  readonly isReplica: () => boolean

  /** The servers that are there now, as far as this node knows. */
  readonly servers: () => Iterable<Contact>

  /** Brings a record to a peer; rejects when it could not. */
  readonly send: (to: Contact, key: Uint8Array, record: DHTRecord) => Promise<unknown>
  readonly log: Logger
}

/** How long after a peer has come or gone more of them are waited for, at least; at most twice as long. */
export const SETTLE_MS = 500

/** How long until those are tried again that could not be given what they should hold. */
const RETRY_MS = 5000

/** How often the nearest holder brings a record to all others, changed or not (Kademlia, §2.5). */
export const REPLICATE_INTERVAL_MS = 3_600_000

/** Records looked at before other work gets its turn. */
const SLICE = 256

/** Records under way at once, and their bytes. */
const MAX_UNDER_WAY = 256
const MAX_BYTES_UNDER_WAY: number = 4 * 1024 * 1024

interface Debt {
  readonly key: Uint8Array
  readonly to: Contact
  readonly sizeBytes: number
}

/**
 * Keeps records at the nearest peers as peers come and go (N7). Changes are looked into together,
 * a moment after the first: one pass over all records serves for all of them.
 */
export class Upkeep implements Wanted {
  readonly #init: UpkeepInit
  /** The servers that were there when records were last looked at, this node among them. */
  #settled: PeerIndex
  #replicateAtMs = performance.now() + REPLICATE_INTERVAL_MS
  #running: Promise<void> | undefined
  readonly #alarm = new Alarm(() => {
    this.run().catch((error) => this.#init.log('upkeep failed - %e', error))
  })

  isWanted = true

  constructor(init: UpkeepInit) {
    this.#init = init
    this.#settled = indexOf([init.self])
  }

  /** Looks into it whenever a peer has come or gone, until the signal is aborted. */
  follow(events: TypedEventTarget<DHTEvents>, signal: AbortSignal): void {
    const onChange = (): void => this.#alarm.within(SETTLE_MS * (1 + Math.random()))
    events.addEventListener('peer:join', onChange, { signal })
    events.addEventListener('peer:leave', onChange, { signal })
    signal.addEventListener('abort', () => this.#stop())
  }

  /** Resolves when all records are where they should be, as far as this node knows. */
  async run(): Promise<void> {
    while (this.#running !== undefined) {
      await this.#running
    }

    this.#running = this.#pass()

    try {
      await this.#running
    } finally {
      this.#running = undefined
      this.#alarm.within(this.#replicateAtMs - performance.now())
    }
  }

  #stop(): void {
    this.isWanted = false
    this.#alarm.stop()
  }

  async #pass(): Promise<void> {
    const { self, servers, isReplica } = this.#init

    if (!isReplica()) {
      return
    }

    const before = this.#isReplicationDue() ? indexOf([self]) : this.#settled
    const after = indexOf([self, ...servers()])
    const failed = new Set<Contact>()

    for await (const debts of this.#debts(before, after)) {
      await mapMany(debts, (debt) => this.#pay(debt, failed), {
        wanted: this,
        maxItems: MAX_UNDER_WAY,
        maxBytes: MAX_BYTES_UNDER_WAY,
        bytesOf: ({ sizeBytes }) => sizeBytes
      })
    }

    // Who could not be given everything counts as new next time.
    for (const contact of failed) {
      after.delete(contact)
      this.#alarm.within(RETRY_MS)
    }

    this.#settled = after
  }

  #isReplicationDue(): boolean {
    const isDue = performance.now() >= this.#replicateAtMs

    if (isDue) {
      this.#replicateAtMs = performance.now() + REPLICATE_INTERVAL_MS
    }

    return isDue
  }

  /** What has to be handed over, slice by slice. */
  async *#debts(before: PeerIndex, after: PeerIndex): AsyncGenerator<Debt[]> {
    let debts: Debt[] = []
    let looked = 0

    for (const name of this.#init.store.names()) {
      debts.push(...this.#debtsOf(keyOf(name), before, after))

      if (++looked % SLICE === 0) {
        yield debts
        debts = []
        await new Promise((resolve) => setTimeout(resolve))
      }
    }

    yield debts
  }

  #debtsOf(key: Uint8Array, before: PeerIndex, after: PeerIndex): Debt[] {
    const { numReplicas, self, store } = this.#init
    const point = pointOfKey(key)
    const owners = after.nearest(point, numReplicas)
    const owed = newOwners({
      self: nameOf(self),
      before: before.nearest(point, numReplicas).map(nameOf),
      after: owners.map(nameOf),
      isThere: (name) => after.has(name)
    })

    if (owed.length === 0) {
      return []
    }

    const sizeBytes = encodedSize(store.get(key))
    return owners
      .filter((owner) => owed.includes(nameOf(owner)))
      .map((to) => ({ key, to, sizeBytes }))
  }

  async #pay({ key, to }: Debt, failed: Set<Contact>): Promise<void> {
    const record = this.#init.store.get(key)

    if (isEmpty(record) || failed.has(to)) {
      return
    }

    try {
      await this.#init.send(to, key, record)
    } catch {
      failed.add(to)
    }
  }
}

function indexOf(contacts: Iterable<Contact>): PeerIndex {
  const index = new PeerIndex()

  for (const contact of contacts) {
    index.set(contact)
  }

  return index
}

function nameOf({ id }: Contact): string {
  return id.toString()
}
