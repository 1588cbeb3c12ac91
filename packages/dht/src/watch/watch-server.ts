import type { PeerId, Stream } from '@libp2p/interface'
import { type DHTRecord, encodeRecord, join, type Limits, parseRecordKey } from '@waggle/record'
import { Scheduler } from '../admission/scheduler.ts'
import type { Routing } from '../peers/routing.ts'
import { keyOf, type RecordStore } from '../store/record-store.ts'
import { Alarm } from '../timing/alarm.ts'
import { COLLECT_MS, LEASE_MS, MAX_WATCHES, MAX_WATCHES_PER_PEER } from './limits.ts'
import { Watcher } from './subscriber-stream.ts'
import { changedFrame } from './watch-messages.ts'

export interface WatchServerInit {
  readonly store: RecordStore

  /** For the peers that replies name. */
  readonly routing: Routing

  /**
   * What other protocols share.
   *
   * @default its own
   */
  readonly scheduler?: Scheduler

  /** A peer has broken the protocol. */
  readonly onViolation?: (peer: PeerId, error: Error) => void
}

/** How often leases are looked at. */
const SWEEP_MS: number = LEASE_MS / 3

/**
 * Tells other peers of changes to what this node holds. A change is encoded once for all who want to
 * know: it is told as what was written, which costs the same in a small dictionary and in a large one.
 */
export class WatchServer {
  readonly #init: WatchServerInit
  readonly #scheduler: Scheduler
  readonly #watchers = new Map<string, Set<Watcher>>()
  readonly #open = new Set<Watcher>()
  readonly #countOfPeer = new Map<string, number>()
  readonly #alarm = new Alarm(() => this.#sweep())

  readonly #collecting = new Alarm(() => this.#tell(this.#collected.take(), true))

  /** What has been written since those were told last who want to know at once, and the others. */
  readonly #written: Written
  readonly #collected: Written
  #count = 0

  constructor(init: WatchServerInit) {
    this.#init = init
    this.#scheduler = init.scheduler ?? new Scheduler()
    this.#written = new Written(init.store.limits)
    this.#collected = new Written(init.store.limits)
    init.store.onWrite((name, write) => this.#onWrite(name, write))
  }

  /** How many keys are watched by others; each counts once for each of them. */
  get size(): number {
    return this.#count
  }

  /** Serves a stream that a peer has opened. */
  serve(stream: Stream, peer: PeerId): void {
    const watcher = new Watcher({
      ...{ stream, peer, store: this.#init.store, routing: this.#init.routing },
      scheduler: this.#scheduler,
      onOffence: (error) => this.#init.onViolation?.(peer, error),
      admit: (name) => this.#admit(watcher, name),
      release: (name) => this.#release(watcher, name),
      onClose: () => this.#open.delete(watcher)
    })
    this.#open.add(watcher)
    this.#alarm.within(SWEEP_MS)
  }

  /** Looks at no leases any more. */
  stop(): void {
    this.#alarm.stop()
    this.#collecting.stop()
  }

  /** Whether there is room for another key of the peer's. */
  #admit(watcher: Watcher, name: string): boolean {
    const count = this.#countOfPeer.get(watcher.peer) ?? 0
    const hasRoom = count < MAX_WATCHES_PER_PEER && this.#count < MAX_WATCHES

    if (!hasRoom || !isKey(keyOf(name), this.#init.store.limits)) {
      return false
    }

    this.#countOfPeer.set(watcher.peer, count + 1)
    this.#count++
    const watchers = this.#watchers.get(name)

    if (watchers === undefined) {
      this.#watchers.set(name, new Set([watcher]))
    } else {
      watchers.add(watcher)
    }

    return true
  }

  #release(watcher: Watcher, name: string): void {
    const watchers = this.#watchers.get(name)
    const left = (this.#countOfPeer.get(watcher.peer) ?? 0) - 1
    this.#count--
    watchers?.delete(watcher)

    if (watchers?.size === 0) {
      this.#watchers.delete(name)
    }

    if (left > 0) {
      this.#countOfPeer.set(watcher.peer, left)
    } else {
      this.#countOfPeer.delete(watcher.peer)
    }
  }

  #onWrite(name: string, write: DHTRecord): void {
    const watchers = this.#watchers.get(name)

    if (watchers === undefined) {
      return
    }

    if (this.#written.add(name, write)) {
      queueMicrotask(() => this.#tell(this.#written.take(), false))
    }

    if ([...watchers].some((watcher) => watcher.isUnhurried(name))) {
      this.#collected.add(name, write)
      this.#collecting.within(COLLECT_MS)
    }
  }

  #tell(written: ReadonlyMap<string, DHTRecord>, isUnhurried: boolean): void {
    for (const [name, write] of written) {
      const watchers = [...(this.#watchers.get(name) ?? [])].filter(
        (watcher) => watcher.isUnhurried(name) === isUnhurried
      )

      if (watchers.length > 0) {
        const key = keyOf(name)
        const frame = changedFrame(key, this.#smaller(key, write))

        for (const watcher of watchers) {
          watcher.tell(name, frame)
        }
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
    for (const watcher of this.#open) {
      watcher.sweep()
    }

    if (this.#open.size > 0) {
      this.#alarm.within(SWEEP_MS)
    }
  }
}

/** What has been written since somebody took it, by the names of the keys. */
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
