import type { PeerId, PeerInfo } from '@libp2p/interface'
import type { SubkeyId } from '@waggle/record'
import { equals } from 'uint8arrays/equals'
import { pointOfKey } from '../peers/key-space.ts'
import type { Routing } from '../peers/routing.ts'
import { placeName } from '../store/place-name.ts'
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
  isForwarding,
  type WatchedAnswer,
  type WatchedPlace,
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
  readonly numReplicas: number

  /** Returns the bytes of the known record of a key, or of one of its subkeys. */
  readonly known: (key: string, subkey: SubkeyId | undefined) => Uint8Array | undefined

  /** Finds room for a subscription, or renews it. */
  readonly admit: (subscription: Subscription) => WatchState

  /** Returns peers that may forward changes of a key. */
  readonly forwarders: (key: string) => readonly PeerInfo[]

  /** Releases an admitted subscription. */
  readonly release: (subscription: Subscription) => void
  readonly onClose: () => void
}

/** A key, or one of its subkeys, of which a peer is notified on a stream. */
export interface Subscription {
  readonly stream: SubscriberStream

  /** Name of the key. */
  readonly key: string
  readonly subkey: SubkeyId | undefined
  readonly role: WatchRole

  /** The time of the last request, in ms of the process's clock. */
  atMs: number
}

/**
 * One stream on which a peer is notified of changes. Nothing is written to a peer that does not
 * read: the names of keys that change meanwhile are kept, and their state is sent when it reads again.
 */
export class SubscriberStream implements PlaceHolder, StreamHandler<WatchMessage> {
  readonly peer: string
  readonly #init: SubscriberStreamInit
  readonly #stream: FramedStream<WatchMessage>

  /** The watched places, the one that was renewed longest ago first. */
  readonly #subscriptions = new Map<string, Subscription>()

  /** The subscriptions that have changed while the peer did not read. */
  readonly #unsent = new Set<Subscription>()
  #usedMs = performance.now()

  constructor(init: SubscriberStreamInit) {
    this.#init = init
    this.#stream = init.stream
    this.peer = init.peer.toString()
  }

  /** Notifies of a change. The frame that says which is made only if it can be sent; undefined: no message can hold it. */
  notify(subscription: Subscription, frameOf: () => Uint8Array | undefined): void {
    if (this.#stream.isBulkBlocked) {
      this.#unsent.add(subscription)
      return
    }

    const frame = frameOf()

    if (frame !== undefined) {
      this.#stream.sendFrame(frame)
      // Before the reply to the writer, which waits for other replicas anyway.
      this.#stream.flush()
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

  releaseOldest(role?: WatchRole): void {
    for (const [name, subscription] of this.#subscriptions) {
      if (role === undefined || subscription.role === role) {
        this.#release(name)
        return
      }
    }
  }

  respond(message: WatchMessage): Response<WatchMessage> {
    this.#usedMs = performance.now()

    switch (message.name) {
      case 'watch':
        return { keys: this.#costOf(message), reply: this.#watch(message) }
      case 'unwatch':
        return { keys: message.keys.length, reply: this.#unwatch(message.keys) }
      default:
        throw new ProtocolViolationError(`"${message.name}" is not a request`)
    }
  }

  /** Counts a key that is watched for the peer as its requests to replicas. */
  #costOf({ keys, role }: WatchRequest): number {
    return isForwarding(role) ? this.#init.numReplicas * keys.length : keys.length
  }

  isIdle(): boolean {
    return this.#subscriptions.size === 0
  }

  onDrain(): void {
    for (const subscription of this.#unsent) {
      if (this.#stream.isBulkBlocked) {
        break
      }

      this.#unsent.delete(subscription)
      const { key, subkey } = subscription
      const record = this.#init.known(key, subkey)
      const frame = record && changedFrame({ key: keyOf(key), subkey, record })

      if (frame !== undefined) {
        this.#stream.sendFrame(frame)
      }
    }
  }

  onClose(): void {
    for (const subscription of this.#subscriptions.values()) {
      this.#init.release(subscription)
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

    for (const { key, subkey, digest } of keys) {
      const record = this.#news({ key, subkey }, digest)
      sizeBytes += record?.length ?? 0

      if (answers.length > 0 && sizeBytes > TARGET_MESSAGE_BYTES) {
        break
      }

      const state = this.#subscribe({ key, subkey }, role)
      const nearest = this.#init.routing.nearest(pointOfKey(key), closerCount)
      const forwarders = state === 'full' ? this.#init.forwarders(nameOf(key)) : []
      const named = [...forwarders.slice(0, closerCount), ...nearest].slice(0, MAX_CLOSER_PEERS)
      const closer = closerPeers.indexesOf(named)
      answers.push(record === undefined ? { state, closer } : { state, record, closer })
      yield
    }

    return { name: 'watched', peers: closerPeers.peers, answers }
  }

  #subscribe({ key, subkey }: WatchedPlace, role: WatchRole): WatchState {
    const name = placeName(key, subkey)

    if (this.#subscriptions.get(name)?.role !== role) {
      this.#release(name)
    }

    const atMs = this.#usedMs
    const subscription = this.#subscriptions.get(name) ?? {
      ...{ stream: this, key: nameOf(key), subkey, role, atMs }
    }
    const state = this.#init.admit(subscription)
    this.#subscriptions.delete(name)

    if (state === 'watched') {
      subscription.atMs = atMs
      this.#subscriptions.set(name, subscription)
    }

    this.#unsent.delete(subscription)
    return state
  }

  /** Returns the known record, unless the peer has the same. */
  #news({ key, subkey }: WatchedPlace, digest: Uint8Array): Uint8Array | undefined {
    const known = this.#init.known(nameOf(key), subkey)
    return known === undefined || equals(digestOfBytes(known), digest) ? undefined : known
  }

  *#unwatch(keys: readonly WatchedPlace[]): Generator<undefined, WatchedReply> {
    for (const { key, subkey } of keys) {
      this.#release(placeName(key, subkey))
      yield
    }

    return { name: 'watched', peers: [], answers: keys.map(() => ENDED) }
  }

  #release(name: string): void {
    const subscription = this.#subscriptions.get(name)

    if (subscription !== undefined) {
      this.#subscriptions.delete(name)
      this.#unsent.delete(subscription)
      this.#init.release(subscription)
    }
  }
}

const ENDED: WatchedAnswer = { state: 'ended', closer: [] }
