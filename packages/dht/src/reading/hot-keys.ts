import type { PeerInfo } from '@libp2p/interface'
import { type DHTRecord, isEmpty } from '@waggle/record'
import { encodedSize } from '@waggle/record/replica'
import { TokenBucket } from '../admission/token-bucket.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import { pointOfKey } from '../peers/key-space.ts'
import type { Routing } from '../peers/routing.ts'
import { nameOf } from '../store/record-store.ts'

/** Reads of which one is counted: counting all would cost as much as answering. */
export const SAMPLE = 16

/** Reads of a key in one window for each peer that gets a copy of it. */
export const READS_PER_COPY = 128

/** Peers that get copies of one key in one period. */
export const MAX_COPIES = 8

/** Milliseconds in which reads are counted together. */
const WINDOW_MS = 1_000

/** Milliseconds after which copies of a key that is still hot are replaced: they are no older. */
export const COPY_PERIOD_MS = 10_000

/** Keys counted at the same time. */
const MAX_COUNTED_KEYS = 256

/** Bytes of copies sent in a second. */
const COPY_RATE: number = 1024 * 1024

export interface HotKeysInit {
  readonly routing: Routing
  readonly numReplicas: number

  /** Returns this node's record of a key as a replica. */
  readonly held: (key: Uint8Array) => DHTRecord

  /** Sends copies to peers. */
  readonly send: (key: Uint8Array, record: DHTRecord, to: readonly PeerInfo[]) => void

  /** Place of this node's first choice among the peers behind the replicas. @default a random one */
  readonly offset?: number
}

interface HotKey {
  readonly windowMs: number
  readonly periodMs: number
  reads: number
  copies: number
}

/**
 * Leaves copies of the most read records with the peers behind the replicas: with more of them, the more often a
 * record is read. These answer readers on whose path they are, and all when the replicas are busy.
 */
export class HotKeys {
  readonly #init: HotKeysInit
  readonly #keys = new BoundedMap<string, HotKey>({ maxSize: MAX_COUNTED_KEYS })
  readonly #bytes = new TokenBucket({ perSecond: COPY_RATE })
  readonly #offset: number
  #reads = 0

  constructor(init: HotKeysInit) {
    this.#init = init
    this.#offset = init.offset ?? Math.floor(Math.random() * 2 * MAX_COPIES)
  }

  /** Counts another peer's read of this node's record. */
  count(key: Uint8Array): void {
    if (++this.#reads % SAMPLE !== 0) {
      return
    }

    const hot = this.#countedAt(nameOf(key), performance.now())
    hot.reads += SAMPLE
    const wanted = Math.min(Math.floor(hot.reads / READS_PER_COPY), MAX_COPIES)

    if (hot.copies < wanted && this.#copy(key, hot.copies)) {
      hot.copies++
    }
  }

  #countedAt(name: string, nowMs: number): HotKey {
    const last = this.#keys.touch(name)

    if (last !== undefined && nowMs - last.windowMs < WINDOW_MS) {
      return last
    }

    const isSamePeriod = last !== undefined && nowMs - last.periodMs < COPY_PERIOD_MS
    const { periodMs, copies } = isSamePeriod ? last : { periodMs: nowMs, copies: 0 }
    const hot = { windowMs: nowMs, periodMs, reads: 0, copies }
    this.#keys.set(name, hot)
    return hot
  }

  /** Leaves a copy with one more peer. Returns whether there was anything to leave, and anybody. */
  #copy(key: Uint8Array, copies: number): boolean {
    const { held, numReplicas, routing, send } = this.#init
    const record = held(key)
    const behind = routing.nearest(pointOfKey(key), numReplicas + 2 * MAX_COPIES).slice(numReplicas)
    const peer = behind[(this.#offset + copies) % behind.length]

    if (peer === undefined || isEmpty(record) || !this.#bytes.tryTake(encodedSize(record))) {
      return false
    }

    send(key, record, [peer])
    return true
  }
}
