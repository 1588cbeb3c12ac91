import {
  type Applied,
  apply,
  DEFAULT_LIMITS,
  type DHTRecord,
  type DHTTime,
  EMPTY_RECORD,
  encodeRecord,
  getDHTTime,
  type Limits,
  type RecordValidator
} from '@waggle/record'
import { fromString } from 'uint8arrays/from-string'
import { LARGEST_MAX_KEY_BYTES, LARGEST_MAX_RECORD_BYTES } from '../constants.ts'
import { textOf } from '../latin1.ts'
import { DEFAULT_MAX_STORED_BYTES, DEFAULT_MAX_STORED_RECORDS } from '../node-limits.ts'
import { forgetRecord, type Held, heldOf, OWN, restOf } from './held.ts'
import { HeldQueue } from './held-queue.ts'
import { Quotas, type Room } from './quotas.ts'
import { RecordChecks } from './record-checks.ts'
import type { PersistenceHook, StoreObserver, WriteListener } from './store-listeners.ts'

/** How much a node holds for other peers. */
export interface RecordStoreOptions {
  /** What single records may be. */
  limits?: Limits | undefined

  /**
   * Records beyond this many push out others: first those of the peer that has stored the most, of
   * these the ones farthest from this node, of these what expires first.
   *
   * @default DEFAULT_MAX_STORED_RECORDS
   */
  maxRecords?: number | undefined

  /**
   * Bytes of encoded records beyond this many push out others, too.
   *
   * @default DEFAULT_MAX_STORED_BYTES
   */
  maxBytes?: number | undefined

  /**
   * Of what one peer has stored, records beyond this many push out others of its own.
   *
   * @default maxRecords
   */
  maxRecordsPerPeer?: number | undefined

  /**
   * The same for bytes.
   *
   * @default maxBytes
   */
  maxBytesPerPeer?: number | undefined

  /** How near to this node a record's key is, in leading bits that they share; 0 for all if it is left out. */
  nearnessOf?: ((key: Uint8Array) => number) | undefined

  /** @default getDHTTime */
  clock?: (() => DHTTime) | undefined

  /**
   * The application's own rules for what may be stored, for this node as a replica and a reader.
   *
   * @default []
   */
  validators?: readonly RecordValidator[] | undefined
}

/** What is left of so many dictionaries is found in a few milliseconds. */
const MAX_SHRUNK = 128

/**
 * The one place where a node holds records for others: kad-dht's messages and ours read and write
 * the same one. A write is merged in one synchronous step, so that no two of them can overlap (N2).
 * It is bounded: when it is full, those who have stored most give way first (N7).
 */
export class RecordStore {
  readonly limits: Limits
  readonly clock: () => DHTTime

  /** What records pass that come from elsewhere. */
  readonly checks: RecordChecks
  readonly #room: Room
  readonly #tenants: Quotas
  readonly #held = new Map<string, Held>()
  readonly #firstToExpire = new HeldQueue((a, b) => a.expirationTime - b.expirationTime)
  /** Of what does not expire all at once. */
  readonly #firstToShrink = new HeldQueue((a, b) => a.firstExpiration - b.firstExpiration)
  #bytes = 0
  #keeper: PersistenceHook | undefined
  #observer: StoreObserver | undefined
  readonly #followers: WriteListener[] = []

  constructor(options: RecordStoreOptions = {}) {
    this.limits = options.limits ?? DEFAULT_LIMITS
    assertSendable(this.limits)
    this.clock = options.clock ?? getDHTTime
    this.checks = new RecordChecks({
      limits: this.limits,
      clock: this.clock,
      validators: options.validators
    })
    this.#room = roomOf(options)
    this.#tenants = new Quotas({
      room: this.#room,
      nearnessOf: options.nearnessOf && ((name) => options.nearnessOf?.(keyOf(name)) ?? 0),
      firstToExpire: () => this.#firstToExpire.first,
      all: () => this.#held.values()
    })
  }

  /** How many records are held. */
  get records(): number {
    return this.#held.size
  }

  /** How many bytes they take, encoded. */
  get bytes(): number {
    return this.#bytes
  }

  /** What is live under a record key; an empty record if nothing is. */
  get(key: Uint8Array): DHTRecord {
    return this.#live(nameOf(key))?.record ?? EMPTY_RECORD
  }

  /** The encoding of what {@link get} gives; undefined if that is empty. The bytes are shared: do not change them. */
  encoded(key: Uint8Array): Uint8Array | undefined {
    const live = this.#live(nameOf(key))

    if (live !== undefined) {
      live.encoded ??= encodeRecord(live.record)
    }

    return live?.encoded
  }

  /** Tells a keeper of each change from now on; or none. */
  keepBy(keeper: PersistenceHook | undefined): void {
    this.#keeper = keeper
  }

  /** Tells an observer from now on; or none. */
  observeBy(observer: StoreObserver | undefined): void {
    this.#observer = observer
  }

  /** Tells somebody of each write from now on, as soon as it is held. What expires or makes room is not told. */
  follow(follower: WriteListener): void {
    this.#followers.push(follower)
  }

  /**
   * Resolves when all that was taken in until now is as safe as the node was told to make it;
   * rejects when that can't be done. Undefined, so that nobody waits for nothing, when it is already
   * so. A write is acknowledged after this, be it the repetition of an earlier one.
   */
  whenDurable(): Promise<void> | undefined {
    return this.#keeper?.whenDurable()
  }

  /** The names of all records that are held. */
  names(): Iterable<string> {
    return this.#held.keys()
  }

  /** Each record that is live when the loop comes to it, with its name. What changes meanwhile may be missed. */
  *live(): Generator<[name: string, record: DHTRecord], void, undefined> {
    for (const name of this.#held.keys()) {
      const live = this.#live(name)

      if (live !== undefined) {
        yield [name, live.record]
      }
    }
  }

  /** Whether anything is held under the name, expired or not. */
  has(name: string): boolean {
    return this.#held.has(name)
  }

  /** Since when anything has been held under the name, in ms of the process's clock. */
  heldSinceMs(name: string): number {
    return this.#held.get(name)?.sinceMs ?? Number.POSITIVE_INFINITY
  }

  /** When what is held under the name was changed last, in ms of the process's clock. */
  changedMs(name: string): number {
    return this.#held.get(name)?.changedMs ?? Number.NEGATIVE_INFINITY
  }

  /**
   * The encoding of what is held under a name, with what has expired of it; undefined if nothing
   * is. It is not remembered, as {@link encoded} does: for a keeper that needs it once.
   */
  encodedAsHeld(name: string): Uint8Array | undefined {
    const held = this.#held.get(name)
    return held && (held.encoded ?? encodeRecord(held.record))
  }

  /**
   * Takes in a write (R6) that has passed {@link checks} and that the peer of that name has sent, or
   * that this node made itself. A dictionary counts as stored by the first who wrote into it.
   */
  apply(key: Uint8Array, write: DHTRecord, writer: string = OWN): Applied {
    const name = nameOf(key)
    const previous = this.#held.get(name)
    const live = this.#live(name)
    const before = live?.record ?? EMPTY_RECORD
    const applied = apply(before, write, { now: this.clock(), limits: this.limits })

    if (!applied.isAccepted || applied.record === before) {
      return applied
    }

    const held = heldOf(name, applied.record, writer, live)

    if (previous === undefined && this.#isFirstToGo(held)) {
      return { isAccepted: false, record: before, reason: 'full' }
    }

    this.#hold(held)
    const gone = this.#makeRoom(held, writer)

    if (previous !== undefined) {
      gone.push(previous)
    }

    if (!held.isHeld) {
      // There is no room for it, and what is rejected changes nothing (R6).
      this.#restore(gone, held)
      return { isAccepted: false, record: before, reason: 'full' }
    }

    for (const one of gone) {
      forgetRecord(one)
    }

    this.#observer?.stored(name, held.expirationTime)

    for (const follower of this.#followers) {
      follower(name, write)
    }

    return applied
  }

  /**
   * Removes what has expired. Records of which something is left take longer: it comes to at most
   * {@link MAX_SHRUNK} of these, and gives back whether there are more.
   */
  sweep(): boolean {
    const now = this.clock()

    for (const held of this.#dropWhile(({ expirationTime }) => expirationTime <= now)) {
      forgetRecord(held)
      this.#observer?.expired(held.name, held.expirationTime)
    }

    return this.#shrink(now)
  }

  #live(name: string): Held | undefined {
    const held = this.#held.get(name)
    const now = this.clock()
    return held && held.expirationTime > now ? restOf(held, now) : undefined
  }

  /** Takes from each record at once what has expired of it since it was swept last. */
  #shrink(now: DHTTime): boolean {
    let { first } = this.#firstToShrink

    for (let left = MAX_SHRUNK; left > 0 && isDue(first, now); left--) {
      this.#hold(restOf(first, now))
      forgetRecord(first)
      first = this.#firstToShrink.first
    }

    return isDue(first, now)
  }

  #hold(held: Held): void {
    const previous = this.#held.get(held.name)

    if (previous !== undefined) {
      this.#release(previous)
    }

    held.isHeld = true
    this.#bytes += held.sizeBytes
    this.#held.set(held.name, held)
    this.#tenants.add(held)
    this.#firstToExpire.push(held, this.#held.size)

    if (held.firstExpiration < held.expirationTime) {
      this.#firstToShrink.push(held, this.#held.size)
    }

    this.#keeper?.changed(held.name)
  }

  /** Holds again what has gone, but for what there is no room for. */
  #restore(gone: readonly Held[], rejected: Held): void {
    for (const held of gone) {
      if (held === rejected) {
        forgetRecord(held)
      } else {
        this.#hold(held)
      }
    }
  }

  #release(held: Held): void {
    held.isHeld = false
    this.#bytes -= held.sizeBytes
    this.#tenants.delete(held)
  }

  /**
   * Whether there is no room for a new record but its own. A flood brings many such: what is never
   * held costs little, and leaves nothing behind in queues.
   */
  #isFirstToGo(held: Held): boolean {
    if (this.#held.size < this.#room.maxRecords) {
      return false
    }

    const isAnyExpired = (this.#firstToExpire.first?.expirationTime ?? 0) <= this.clock()
    return !isAnyExpired && this.#tenants.isFirstToGo(held)
  }

  /**
   * Gives back what it has dropped: perhaps what was to have room. It is the writer who has to give
   * way, and not the first who wrote into the same dictionary.
   */
  #makeRoom(held: Held, writer: string): Held[] {
    const now = this.clock()
    const dropped = this.#dropWhile(
      ({ expirationTime }) => expirationTime <= now && this.#isFull(writer)
    )

    while (held.isHeld && this.#isFull(writer)) {
      const next = this.#tenants.nextToGo(writer) ?? held
      this.#drop(next)
      dropped.push(next)
    }

    return dropped
  }

  #isFull(writer: string): boolean {
    const { maxRecords, maxBytes } = this.#room
    return (
      this.#held.size > maxRecords ||
      this.#bytes > maxBytes ||
      this.#tenants.isBeyondItsRoom(writer)
    )
  }

  /** Gives back what it has dropped. */
  #dropWhile(isDropped: (first: Held) => boolean): Held[] {
    const dropped: Held[] = []
    let { first } = this.#firstToExpire

    while (first !== undefined && isDropped(first)) {
      this.#drop(first)
      dropped.push(first)
      first = this.#firstToExpire.first
    }

    return dropped
  }

  #drop(held: Held): void {
    this.#held.delete(held.name)
    this.#release(held)
    this.#keeper?.changed(held.name)
  }
}

function assertSendable({ maxRecordBytes, maxKeyBytes }: Limits): void {
  if (maxRecordBytes > LARGEST_MAX_RECORD_BYTES || maxKeyBytes > LARGEST_MAX_KEY_BYTES) {
    throw new TypeError(
      `limits.maxRecordBytes ${maxRecordBytes} may be at most ${LARGEST_MAX_RECORD_BYTES}, and limits.maxKeyBytes ${maxKeyBytes} at most ${LARGEST_MAX_KEY_BYTES}: larger ones fit no message`
    )
  }
}

function roomOf(options: RecordStoreOptions): Room {
  const { maxRecords = DEFAULT_MAX_STORED_RECORDS, maxBytes = DEFAULT_MAX_STORED_BYTES } = options
  return {
    maxRecords,
    maxBytes,
    maxRecordsPerPeer: options.maxRecordsPerPeer ?? maxRecords,
    maxBytesPerPeer: options.maxBytesPerPeer ?? maxBytes
  }
}

function isDue(held: Held | undefined, now: DHTTime): held is Held {
  return held !== undefined && held.firstExpiration <= now
}

/** A record key as a string that a Map can find it by. */
export function nameOf(key: Uint8Array): string {
  return textOf(key)
}

/** The record key that has the name. */
export function keyOf(name: string): Uint8Array {
  return fromString(name, 'latin1')
}
