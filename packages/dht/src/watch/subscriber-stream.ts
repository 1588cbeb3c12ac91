import type { PeerId, PeerInfo } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { pointOfKey } from '../peers/key-space.ts'
import type { Routing } from '../peers/routing.ts'
import { digestOfBytes } from '../store/record-digest.ts'
import { keyOf, nameOf } from '../store/record-store.ts'
import { CloserPeers } from '../wire/closer-peers.ts'
import type { FramedStream } from '../wire/framed-stream.ts'
import { MAX_CLOSER_PEERS, TARGET_MESSAGE_BYTES } from '../wire/limits.ts'
import type { StreamHandler } from '../wire/protocol-server.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import type { Response } from '../wire/responder.ts'
import { LEASE_MS } from './limits.ts'
import {
  changedFrame,
  type WatchedAnswer,
  type WatchedReply,
  type WatchMessage,
  type WatchRequest,
  type WatchRole,
  type WatchState
} from './watch-messages.ts'
import type { PlaceHolder } from './watch-places.ts'

export interface SubscriberStreamInit {
  readonly stream: FramedStream<WatchMessage>
  readonly peer: PeerId
  readonly routing: Routing

  /** Returns the bytes of what is known of a key. */
  readonly known: (name: string) => Uint8Array | undefined

  /** Finds room for a key, or for it in another role, or renews it. */
  readonly admit: (name: string, role: WatchRole) => WatchState

  /** Returns peers that may forward changes of a key. */
  readonly forwarders: (name: string) => readonly PeerInfo[]

  /** Lets go of a key that was admitted. */
  readonly release: (name: string) => void
  readonly onClose: () => void
}

interface Subscription {
  /** When it was requested last, in ms of the process's clock. */
  readonly atMs: number
  readonly role: WatchRole
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

  /** Notifies of a change of a key; the frame says which. Undefined: no message can hold it. */
  notify(name: string, frame: Uint8Array | undefined): void {
    if (this.#stream.isBulkBlocked) {
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
      if (this.#stream.isBulkBlocked) {
        break
      }

      this.#unsent.delete(name)
      const known = this.#init.known(name)
      const frame = known && changedFrame(keyOf(name), known)

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
  *#watch({ keys, closerCount, role }: WatchRequest): Generator<undefined, WatchedReply> {
    const closerPeers = new CloserPeers(this.#init.peer)
    const answers: WatchedAnswer[] = []
    let sizeBytes = 0

    for (const { key, digest } of keys) {
      const name = nameOf(key)
      const record = this.#news(name, digest)
      sizeBytes += record?.length ?? 0

      if (answers.length > 0 && sizeBytes > TARGET_MESSAGE_BYTES) {
        break
      }

      const state = this.#subscribe(name, role)
      const nearest = this.#init.routing.nearest(pointOfKey(key), closerCount)
      const forwarders = state === 'full' ? this.#init.forwarders(name) : []
      const named = [...forwarders.slice(0, closerCount), ...nearest].slice(0, MAX_CLOSER_PEERS)
      const closer = closerPeers.indexesOf(named)
      answers.push(record === undefined ? { state, closer } : { state, record, closer })
      yield
    }

    return { name: 'watched', peers: closerPeers.peers, answers }
  }

  #subscribe(name: string, role: WatchRole): WatchState {
    if (this.#subscriptions.get(name)?.role !== role) {
      this.#release(name)
    }

    const state = this.#init.admit(name, role)
    this.#subscriptions.delete(name)

    if (state === 'watched') {
      this.#subscriptions.set(name, { atMs: this.#usedMs, role })
    }

    this.#unsent.delete(name)
    return state
  }

  /** Returns what is known, unless the peer knows it. */
  #news(name: string, digest: Uint8Array): Uint8Array | undefined {
    const known = this.#init.known(name)
    return known === undefined || equals(digestOfBytes(known), digest) ? undefined : known
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
