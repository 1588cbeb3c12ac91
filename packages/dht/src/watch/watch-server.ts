import type { PeerId } from '@libp2p/interface'
import { type DHTRecord, encodeRecord, join, type Limits, parseRecordKey } from '@waggle/record'
import type { Routing } from '../peers/routing.ts'
import { keyOf, type RecordStore } from '../store/record-store.ts'
import { Alarm } from '../timing/alarm.ts'
import type { FramedStream } from '../wire/framed-stream.ts'
import type { ServedProtocol } from '../wire/protocol-server.ts'
import type { MessageCodec } from '../wire/schema.ts'
import type { Served } from '../wire/served.ts'
import { COLLECT_MS, LEASE_MS, MAX_WATCHES, MAX_WATCHES_PER_PEER } from './limits.ts'
import { SubscriberStream } from './subscriber-stream.ts'
import { changedFrame, WATCH, WATCH_PROTOCOL, type WatchMessage } from './watch-messages.ts'

export interface WatchServerInit {
  readonly store: RecordStore

  /** For the peers that replies name. */
  readonly routing: Routing

  /** Counts what is told; undefined: nobody does. */
  readonly served?: Served | undefined

  /** Keys watched for all peers together. @default MAX_WATCHES */
  readonly maxWatches?: number
}

import { WatchPlaces } from './watch-places.ts'

/** Milliseconds between two looks at leases. */
const SWEEP_MS: number = LEASE_MS / 3

/**
 * Notifies other peers of changes to what this node holds. A change is encoded once for all
 * subscribers, as the write itself, which costs the same in a small dictionary and in a large one.
 */
export class WatchServer implements ServedProtocol<WatchMessage> {
  readonly id: string = WATCH_PROTOCOL
  readonly codec: MessageCodec<WatchMessage> = WATCH
  readonly #init: WatchServerInit
  readonly #subscribers = new Map<string, Set<SubscriberStream>>()
  readonly #open = new Set<SubscriberStream>()
  readonly #places: WatchPlaces
  readonly #alarm = new Alarm(() => this.#sweep())

  readonly #collecting = new Alarm(() => this.#notify(this.#collected.take(), true))

  /** Writes since subscribers were notified last: those to be notified at once, and the others. */
  readonly #written: Written
  readonly #collected: Written

  constructor(init: WatchServerInit) {
    this.#init = init
    this.#places = new WatchPlaces({
      max: init.maxWatches ?? MAX_WATCHES,
      maxPerPeer: MAX_WATCHES_PER_PEER
    })
    this.#written = new Written(init.store.limits)
    this.#collected = new Written(init.store.limits)
    init.store.onWrite((name, write) => this.#onWrite(name, write))
  }

  /** Keys watched by others, counted once for each of them. */
  get size(): number {
    return this.#places.size
  }

  serve(stream: FramedStream<WatchMessage>, peer: PeerId): SubscriberStream {
    const { store, routing } = this.#init
    const subscriber = new SubscriberStream({
      ...{ stream, peer, store, routing },
      admit: (name) => this.#admit(subscriber, name),
      release: (name) => this.#release(subscriber, name),
      onClose: () => this.#open.delete(subscriber)
    })
    this.#open.add(subscriber)
    this.#alarm.within(SWEEP_MS)
    return subscriber
  }

  /** Looks at no leases any more. */
  stop(): void {
    this.#alarm.stop()
    this.#collecting.stop()
  }

  /** Whether there is room for another key of the peer's. */
  #admit(subscriber: SubscriberStream, name: string): boolean {
    if (!isKey(keyOf(name), this.#init.store.limits) || !this.#places.take(subscriber)) {
      return false
    }

    const subscribers = this.#subscribers.get(name)

    if (subscribers === undefined) {
      this.#subscribers.set(name, new Set([subscriber]))
    } else {
      subscribers.add(subscriber)
    }

    return true
  }

  #release(subscriber: SubscriberStream, name: string): void {
    const subscribers = this.#subscribers.get(name)
    this.#places.free(subscriber)
    subscribers?.delete(subscriber)

    if (subscribers?.size === 0) {
      this.#subscribers.delete(name)
    }
  }

  #onWrite(name: string, write: DHTRecord): void {
    const subscribers = this.#subscribers.get(name)

    if (subscribers === undefined) {
      return
    }

    if (this.#written.add(name, write)) {
      queueMicrotask(() => this.#notify(this.#written.take(), false))
    }

    if ([...subscribers].some((subscriber) => subscriber.isCoalesced(name))) {
      this.#collected.add(name, write)
      this.#collecting.within(COLLECT_MS)
    }
  }

  #notify(written: ReadonlyMap<string, DHTRecord>, isCoalesced: boolean): void {
    for (const [name, write] of written) {
      const subscribers = [...(this.#subscribers.get(name) ?? [])].filter(
        (subscriber) => subscriber.isCoalesced(name) === isCoalesced
      )

      if (subscribers.length > 0) {
        const key = keyOf(name)
        const frame = changedFrame(key, this.#smaller(key, write))

        for (const subscriber of subscribers) {
          subscriber.notify(name, frame)
        }

        this.#init.served?.countChanges(subscribers.length)
      }
    }
  }

  /** All that is held, where several writes in one go have come to be more than is left of them. */
  #smaller(key: Uint8Array, write: DHTRecord): Uint8Array {
    const bytes = encodeRecord(write)
    const held = this.#init.store.encoded(key)
    return held !== undefined && held.length < bytes.length ? held : bytes
  }

  #sweep(): void {
    for (const subscriber of this.#open) {
      subscriber.sweep()
    }

    if (this.#open.size > 0) {
      this.#alarm.within(SWEEP_MS)
    }
  }
}

/** Writes since they were taken last, by the names of the keys. */
class Written {
  readonly #limits: Limits
  #records = new Map<string, DHTRecord>()

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Whether it is the first. */
  add(name: string, write: DHTRecord): boolean {
    const before = this.#records.get(name)
    this.#records.set(name, before === undefined ? write : join(before, write, this.#limits))
    return before === undefined && this.#records.size === 1
  }

  take(): ReadonlyMap<string, DHTRecord> {
    const records = this.#records
    this.#records = new Map()
    return records
  }
}

/** Whether anything could ever be stored under it. */
function isKey(bytes: Uint8Array, limits: Limits): boolean {
  try {
    parseRecordKey(bytes, limits)
    return true
  } catch {
    return false
  }
}
