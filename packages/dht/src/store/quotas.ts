import { type Held, OWN } from './held.ts'
import { HeldQueue } from './held-queue.ts'

/** How much room there is, for all and for what any one peer stores. */
export interface Room {
  readonly maxRecords: number
  readonly maxBytes: number
  readonly maxRecordsPerPeer: number
  readonly maxBytesPerPeer: number
}

/** What one peer has stored. */
interface Tenant {
  records: number
  bytes: number
  level: number

  /** What goes first is first. */
  queue: HeldQueue | undefined
}

export interface TenantsInit {
  readonly room: Room

  /** How near to this node a key is, by its record's name; undefined: all are the same. */
  readonly nearnessOf: ((name: string) => number) | undefined

  /** Of all that is held. */
  readonly firstToExpire: () => Held | undefined

  /** All that is held. */
  readonly all: () => Iterable<Held>
}

/** Halvings of a store that are told apart. */
const LEVELS = 32

/**
 * Says what has to go when a store is full. Peers that have stored much give way first, so that a
 * flood takes the room of its own sender: peers are ranked by how much of the store they fill, in powers of
 * two, and whoever stores is the first to lose something unless others are ranked above it. Of one peer's
 * records those go that are farthest from this node, and of these what expires first.
 */
export class Quotas {
  readonly #init: TenantsInit
  readonly #tenants = new Map<string, Tenant>()
  /** Those of whom something could go: who has only added to what others store is not among them. */
  readonly #levels: readonly Set<Tenant>[] = Array.from({ length: LEVELS }, () => new Set())
  /** Queues cost room themselves, and are made when the store is full for the first time. */
  #isQueueing = false

  constructor(init: TenantsInit) {
    this.#init = init
  }

  /** How many peers have something here. */
  get size(): number {
    return this.#tenants.size
  }

  add(held: Held): void {
    this.#charge(held, 1)

    if (this.#isQueueing) {
      this.#enqueue(held)
    }
  }

  delete(held: Held): void {
    this.#charge(held, -1)
  }

  /** Whether a peer has more than one peer may have. */
  isBeyondItsRoom(storer: string): boolean {
    const { maxRecordsPerPeer, maxBytesPerPeer } = this.#init.room
    const tenant = this.#tenants.get(storer)
    return (
      storer !== OWN &&
      tenant !== undefined &&
      (tenant.records > maxRecordsPerPeer || tenant.bytes > maxBytesPerPeer)
    )
  }

  /**
   * What goes first so that the peer can store more; undefined: nothing but what it wants to store.
   * So it is with a peer that has added much to what others store: that is not its own to lose.
   */
  nextToGo(storer: string): Held | undefined {
    if (!this.#isSingle) {
      this.#beginQueueing()
    }

    const own = this.#tenants.get(storer)
    const top = this.#topLevel()

    if (own !== undefined && (own.level >= top || this.isBeyondItsRoom(storer))) {
      return this.#firstOf(own)
    }

    const [largest] = this.#levels[top] ?? []
    return largest && this.#firstOf(largest)
  }

  /** Whether a new record would be what {@link nextToGo} gives, once it is held: of equals, what was there stays. */
  isFirstToGo(held: Held): boolean {
    const own = this.#tenants.get(held.storer)

    if (own === undefined || own.level < this.#topLevel()) {
      return false
    }

    const first = this.#firstOf(own)
    held.nearness ??= this.#nearnessOf(held)
    return first !== undefined && compareTurns(held, first) <= 0
  }

  /** What a node remembers for itself needs no queues beside that of what expires. */
  get #isSingle(): boolean {
    return this.#init.nearnessOf === undefined && this.#tenants.size === 1
  }

  #nearnessOf({ name }: Held): number {
    return this.#init.nearnessOf?.(name) ?? 0
  }

  #topLevel(): number {
    return this.#levels.findLastIndex(({ size }) => size > 0)
  }

  /** Adds a record to what its peers have, or takes it away. */
  #charge({ storer, sizeBytes, charges }: Held, sign: 1 | -1): void {
    let ownBytes = sizeBytes

    for (const charge of charges) {
      ownBytes -= charge.bytes
      this.#change(charge.storer, 0, sign * charge.bytes)
    }

    this.#change(storer, sign, sign * ownBytes)
  }

  #change(storer: string, records: number, bytes: number): void {
    const tenant = this.#tenants.get(storer) ?? this.#newcomer(storer)
    tenant.records += records
    tenant.bytes += bytes

    if (tenant.records === 0 && tenant.bytes === 0) {
      this.#levels[tenant.level]?.delete(tenant)
      this.#tenants.delete(storer)
    } else {
      this.#rank(tenant)
    }
  }

  #newcomer(storer: string): Tenant {
    const tenant: Tenant = { records: 0, bytes: 0, level: 0, queue: undefined }
    this.#tenants.set(storer, tenant)
    return tenant
  }

  #rank(tenant: Tenant): void {
    const { maxRecords, maxBytes } = this.#init.room
    const share = Math.max(tenant.records / maxRecords, tenant.bytes / maxBytes)
    const level = Math.min(Math.max(LEVELS - 2 + Math.floor(Math.log2(share)), 0), LEVELS - 1)

    if (level !== tenant.level || tenant.records === 0) {
      this.#levels[tenant.level]?.delete(tenant)
      tenant.level = level
    }

    if (tenant.records > 0) {
      this.#levels[level]?.add(tenant)
    }
  }

  #beginQueueing(): void {
    if (!this.#isQueueing) {
      this.#isQueueing = true

      for (const held of this.#init.all()) {
        this.#enqueue(held)
      }
    }
  }

  #enqueue(held: Held): void {
    const tenant = this.#tenants.get(held.storer) ?? this.#newcomer(held.storer)
    held.nearness ??= this.#nearnessOf(held)
    tenant.queue ??= new HeldQueue(compareTurns)
    tenant.queue.push(held, tenant.records)
  }

  #firstOf(tenant: Tenant): Held | undefined {
    return this.#isSingle ? this.#init.firstToExpire() : tenant.queue?.first
  }
}

/** Negative if the first gives way before the second. */
function compareTurns(a: Held, b: Held): number {
  return (a.nearness ?? 0) - (b.nearness ?? 0) || a.expirationTime - b.expirationTime
}
