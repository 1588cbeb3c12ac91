import type { PeerId } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { pointOfKey } from '../peers/key-space.ts'
import type { Routing } from '../peers/routing.ts'
import { digestOfBytes } from '../store/record-digest.ts'
import { keyOf, nameOf, type RecordStore } from '../store/record-store.ts'
import { CloserPeers } from '../wire/closer-peers.ts'
import type { FramedStream } from '../wire/framed-stream.ts'
import { TARGET_MESSAGE_BYTES } from '../wire/limits.ts'
import type { StreamHandler } from '../wire/protocol-server.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import type { Response } from '../wire/responder.ts'
import { LEASE_MS } from './limits.ts'
import {
  changedFrame,
  type WatchedAnswer,
  type WatchedReply,
  type WatchMessage,
  type WatchRequest
} from './watch-messages.ts'
import type { PlaceHolder } from './watch-places.ts'

export interface SubscriberStreamInit {
  readonly stream: FramedStream<WatchMessage>
  readonly peer: PeerId
  readonly store: RecordStore
  readonly routing: Routing

  /** Says whether there is room for one more key. */
  readonly admit: (name: string) => boolean

  /** Lets go of a key that was admitted. */
  readonly release: (name: string) => void
  readonly onClose: () => void
}

interface Subscription {
  /** When it was requested last, in ms of the process's clock. */
  readonly atMs: number
  readonly isCoalesced: boolean
}

/**
 * One stream on which a peer is notified of changes. Nothing is written to a peer that does not
 * read: the names of keys that change meanwhile are kept, and their state is sent when it reads again.
 */
export class SubscriberStream implements PlaceHolder, StreamHandler<WatchMessage> {
  readonly peer: string
  readonly #init: SubscriberStreamInit
  readonly #stream: FramedStream<WatchMessage>

  /** The keys that are watched, the one that was renewed longest ago first. */
  readonly #subscriptions = new Map<string, Subscription>()

  /** Keys that have changed while the peer did not read. */
  readonly #unsent = new Set<string>()
  #usedMs = performance.now()

  constructor(init: SubscriberStreamInit) {
    this.#init = init
    this.#stream = init.stream
    this.peer = init.peer.toString()
  }

  /** Whether changes of a key may be collected for a moment. */
  isCoalesced(name: string): boolean {
    return this.#subscriptions.get(name)?.isCoalesced === true
  }

  /** Notifies of a change of a key; the frame says which. Undefined: no message can hold it. */
  notify(name: string, frame: Uint8Array | undefined): void {
    if (this.#stream.isBlocked) {
      this.#unsent.add(name)
    } else if (frame !== undefined) {
      this.#stream.sendFrame(frame)
    }
  }

  /** Lets go of keys whose lease has ended, and of a peer that has requested none for as long. */
  sweep(): void {
    const untilMs = performance.now() - LEASE_MS

    for (const [name, { atMs }] of this.#subscriptions) {
      if (atMs < untilMs) {
        this.#release(name)
      }
    }

    if (this.#subscriptions.size === 0 && this.#usedMs < untilMs) {
      this.#stream.close(new Error(`nothing is watched for ${LEASE_MS} ms`))
    }
  }

  releaseOldest(): void {
    for (const name of this.#subscriptions.keys()) {
      this.#release(name)
      return
    }
  }

  respond(message: WatchMessage): Response<WatchMessage> {
    this.#usedMs = performance.now()

    switch (message.name) {
      case 'watch':
        return { keys: message.keys.length, reply: this.#watch(message) }
      case 'unwatch':
        return { keys: message.keys.length, reply: this.#unwatch(message.keys) }
      default:
        throw new ProtocolViolationError(`"${message.name}" is no request`)
    }
  }

  isIdle(): boolean {
    return this.#subscriptions.size === 0
  }

  onDrain(): void {
    for (const name of this.#unsent) {
      if (this.#stream.isBlocked) {
        break
      }

      this.#unsent.delete(name)
      const key = keyOf(name)
      const held = this.#init.store.encoded(key)
      const frame = held && changedFrame(key, held)

      if (frame !== undefined) {
        this.#stream.sendFrame(frame)
      }
    }
  }

  onClose(): void {
    for (const name of this.#subscriptions.keys()) {
      this.#init.release(name)
    }

    this.#subscriptions.clear()
    this.#unsent.clear()
    this.#init.onClose()
  }

  /** Answers as many keys as fit into one message, the first one in any case. */
  *#watch({ keys, closerCount, isCoalesced }: WatchRequest): Generator<undefined, WatchedReply> {
    const closerPeers = new CloserPeers(this.#init.peer)
    const answers: WatchedAnswer[] = []
    let sizeBytes = 0

    for (const { key, digest } of keys) {
      const record = this.#news(key, digest)
      sizeBytes += record?.length ?? 0

      if (answers.length > 0 && sizeBytes > TARGET_MESSAGE_BYTES) {
        break
      }

      const state = this.#subscribe(nameOf(key), isCoalesced) ? 'watched' : 'refused'
      const nearest = this.#init.routing.nearest(pointOfKey(key), closerCount)
      const closer = closerPeers.indexesOf(nearest)
      answers.push(record === undefined ? { state, closer } : { state, record, closer })
      yield
    }

    return { name: 'watched', peers: closerPeers.peers, answers }
  }

  #subscribe(name: string, isCoalesced: boolean): boolean {
    if (!this.#subscriptions.has(name) && !this.#init.admit(name)) {
      return false
    }

    this.#subscriptions.delete(name)
    this.#subscriptions.set(name, { atMs: this.#usedMs, isCoalesced })
    this.#unsent.delete(name)
    return true
  }

  /** Returns the held record, unless the peer knows it. */
  #news(key: Uint8Array, digest: Uint8Array): Uint8Array | undefined {
    const held = this.#init.store.encoded(key)
    return held === undefined || equals(digestOfBytes(held), digest) ? undefined : held
  }

  *#unwatch(keys: readonly Uint8Array[]): Generator<undefined, WatchedReply> {
    for (const key of keys) {
      this.#release(nameOf(key))
      yield
    }

    return { name: 'watched', peers: [], answers: keys.map(() => ENDED) }
  }

  #release(name: string): void {
    if (this.#subscriptions.delete(name)) {
      this.#unsent.delete(name)
      this.#init.release(name)
    }
  }
}

const ENDED: WatchedAnswer = { state: 'ended', closer: [] }
