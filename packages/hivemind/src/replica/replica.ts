import type { MaybePromise } from '@waggle/record'
import { isPromise } from '@waggle/record/replica'
import { textOf } from '../bytes/latin1.ts'
import { MalformedBytesError } from '../errors.ts'
import { type HivemindRecord, latestExpiration } from '../record/record.ts'
import type { HivemindWrite } from '../record/write.ts'
import type { FoundBytes, StoreItem } from '../wire/items.ts'
import type { HivemindLimits } from './limits.ts'
import type { ReplicaStore } from './replica-store.ts'
import { foundBytes, writesOf } from './store-item.ts'
import { takeAll } from './take.ts'
import type { Validation } from './validation.ts'

export interface ReplicaInit {
  /** Records held for others. */
  readonly storage: ReplicaStore

  /** Cached records, evicted when space runs out. */
  readonly cache: ReplicaStore
  readonly validation: Validation
  readonly clock: () => number

  /** Called after a new record was stored under a key. */
  readonly onStored?: (key: Uint8Array, record: HivemindRecord) => void
}

/** An item whose writes have been checked. */
export interface CheckedItem {
  readonly item: StoreItem

  /** Undefined: the item is refused. */
  readonly writes: readonly HivemindWrite[] | undefined
}

interface Judgement {
  readonly refusal?: string | undefined
}

/** This node as one of the peers that hold records. */
export class Replica {
  readonly #init: ReplicaInit

  constructor(init: ReplicaInit) {
    this.#init = init
  }

  get limits(): HivemindLimits {
    return this.#init.validation.limits
  }

  /** Checks an item of a peer by all rules that do not depend on the current record, one write in each step. */
  *check(item: StoreItem, writer: string): Generator<undefined, MaybePromise<CheckedItem>> {
    const { validation } = this.#init
    const writes = soundWrites(item, this.limits)
    const judgements: MaybePromise<Judgement>[] = []

    for (const write of writes ?? []) {
      judgements.push(validation.check(item.key, write, writer))
      yield
    }

    const judge = (all: readonly Judgement[]): CheckedItem => ({
      item,
      writes: all.some(({ refusal }) => refusal !== undefined) ? undefined : writes
    })

    return judgements.some(isPromise)
      ? Promise.all(judgements).then(judge)
      : judge(judgements as Judgement[])
  }

  /** Checks an item of this node. */
  checkAtOnce(item: StoreItem, writer: string): MaybePromise<CheckedItem> {
    const steps = this.check(item, writer)
    let step = steps.next()

    while (step.done !== true) {
      step = steps.next()
    }

    return step.value
  }

  /** Stores a checked item. Returns whether all of it is held now. */
  take({ item, writes }: CheckedItem, writer: string): boolean {
    if (writes === undefined) {
      return false
    }

    const { storage, cache, clock, onStored } = this.#init
    const store = item.isInCache ? cache : storage
    const key = textOf(item.key)
    const held = store.get(key)
    const { isAccepted, record } = takeAll(held, writes, { limits: this.limits, now: clock() })

    if (record === held) {
      return isAccepted
    }

    const isHeld = store.put(key, record, writer)

    if (isHeld && !item.isInCache) {
      onStored?.(item.key, record)
    }

    return isAccepted && isHeld
  }

  /** The stored or cached record of a key: the later of the two, as in Python. */
  get(key: Uint8Array): HivemindRecord {
    const { storage, cache } = this.#init
    const name = textOf(key)
    const held = storage.get(name)
    const cached = cache.get(name)
    return latestExpiration(cached) > latestExpiration(held) ? cached : held
  }

  /** The record held for others. */
  held(key: Uint8Array): HivemindRecord {
    return this.#init.storage.get(textOf(key))
  }

  /** Stores for others records that this node has read and checked. */
  hold(items: readonly StoreItem[]): void {
    for (const item of items) {
      this.take({ item, writes: writesOf(item) }, OWN)
    }
  }

  /** The record of {@link get} as the bytes of a response. */
  find(key: Uint8Array): FoundBytes | undefined {
    return foundBytes(this.get(key))
  }

  /** Caches a record that was read, while there is room. */
  remember(key: Uint8Array, record: HivemindRecord): void {
    this.#init.cache.put(textOf(key), record, OWN)
  }

  /** Removes a record from the cache. */
  forget(key: Uint8Array): void {
    this.#init.cache.delete(textOf(key))
  }
}

/** The writer to which this node's own reads are charged. */
const OWN = ''

function soundWrites(item: StoreItem, { maxSubkeys }: HivemindLimits): HivemindWrite[] | undefined {
  try {
    return writesOf(item, maxSubkeys)
  } catch (error) {
    if (error instanceof MalformedBytesError) {
      return undefined
    }

    throw error
  }
}
