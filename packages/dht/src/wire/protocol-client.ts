import { AbortError, type PeerId, type PeerInfo } from '@libp2p/interface'
import { DEFAULT_NETWORK } from '@waggle/record/replica'
import type { BufferLimits } from '../admission/buffer-limits.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { type Activity, NO_ACTIVITY } from './activity.ts'
import type { Dialer, PeerPolicy } from './dialer.ts'
import {
  FALLBACK_MEMORY_MS,
  MAX_CACHED_PEERS,
  MAX_QUEUED_REQUEST_BYTES,
  MAX_QUEUED_REQUESTS
} from './limits.ts'
import { protocolIdIn } from './protocol-id.ts'
import { ProtocolViolationError } from './protocol-violation-error.ts'
import type { RequestProtocol } from './request-protocol.ts'
import type { PendingRequest } from './request-queue.ts'
import { RequestStream, type RequestStreamLimits } from './request-stream.ts'

/** Repetitions of a request whose stream ended. */
const MAX_REPETITIONS = 2

/** Parts that the clients of all protocols share. */
export interface ClientParts {
  readonly dialer: Pick<Dialer, 'openStream' | 'hasten'>
  readonly peers: PeerPolicy
  readonly buffers: BufferLimits

  /**
   * The name of this node's network.
   *
   * @default DEFAULT_NETWORK
   */
  readonly network?: string | undefined
}

export interface ProtocolClientInit<Q, R, M> extends ClientParts {
  /** The protocol's id in the default network. */
  readonly id: string

  /** Limits that differ from the usual ones. */
  readonly streamLimits?: Partial<RequestStreamLimits>

  /** Returns the protocol for one stream to a peer. */
  readonly speak: (peer: PeerInfo) => RequestProtocol<Q, R, M>

  /** Called when the stream to a peer has ended. */
  readonly onEnd?: (peer: PeerInfo) => void
}

export interface RequestOptions<R, T> {
  readonly cancellation?: CancellationToken | undefined
  readonly onResponse: (response: R) => T | PromiseLike<T>

  /** Returns a result without the protocol, for a peer that lacks it. */
  readonly fallback: () => T | PromiseLike<T>
}

/** Sends requests of one protocol, over one stream to each peer. */
export class ProtocolClient<Q, R, M> {
  readonly #init: ProtocolClientInit<Q, R, M>
  readonly #streams = new Map<string, RequestStream<Q, R, M>>()

  /** The latest known addresses of peers with a stream. */
  readonly #addresses = new Map<string, PeerInfo>()

  /** Time until which peers count as lacking the protocol, in ms of the process's clock. */
  readonly #lacking = new BoundedMap<string, number>({ maxSize: MAX_CACHED_PEERS })
  readonly #limits: RequestStreamLimits

  /** The protocol's id in this node's network. */
  readonly #id: string
  #isClosed = false

  constructor(init: ProtocolClientInit<Q, R, M>) {
    this.#init = init
    this.#id = protocolIdIn(init.network ?? DEFAULT_NETWORK, init.id)
    this.#limits = {
      maxRequests: MAX_QUEUED_REQUESTS,
      maxRequestBytes: MAX_QUEUED_REQUEST_BYTES,
      ...init.streamLimits
    }
  }

  /** Sends a request, or uses the fallback if the peer lacks the protocol. */
  request<T>(
    peer: PeerInfo,
    request: Q,
    { cancellation, onResponse, fallback }: RequestOptions<R, T>
  ): Promise<T> {
    const name = peer.id.toString()

    if (this.#lacks(name)) {
      return Promise.resolve().then(fallback)
    }

    const stream = this.#streamTo(peer, name)

    if (!stream.isOpen) {
      this.#addresses.set(name, peer)
    }

    // One promise, not two: most of a node's requests pass here.
    return new Promise((resolve, reject) => {
      stream.ask({
        request,
        cancellation,
        resolve: (response) => settle(resolve, reject, () => onResponse(response)),
        reject: (error) => {
          if (isUnsupported(error)) {
            this.#lacking.set(name, performance.now() + FALLBACK_MEMORY_MS)
            settle(resolve, reject, fallback)
          } else {
            reject(error)
          }
        }
      })
    })
  }

  /** Returns the stream to a peer, if there is one. */
  streamTo({ id }: PeerInfo): RequestStream<Q, R, M> | undefined {
    return this.#streams.get(id.toString())
  }

  /** Returns the activity with a peer by this protocol. */
  activityOf(peer: PeerId): Activity {
    return this.#streams.get(peer.toString())?.activity ?? NO_ACTIVITY
  }

  /** The time of a peer's last progress with due responses, in ms of the process's clock. */
  progressMs({ id }: PeerInfo): number {
    return this.#streams.get(id.toString())?.progressMs ?? Number.NEGATIVE_INFINITY
  }

  /** Sends a message without a reply, if there is a stream to the peer. Returns whether there was. */
  notify(peer: PeerId, message: M): boolean {
    return this.#streams.get(peer.toString())?.notify(message) === true
  }

  /** Whether the peer is known to lack the protocol. */
  lacks({ id }: PeerInfo): boolean {
    return this.#lacks(id.toString())
  }

  /** Queued requests, and messages without a reply yet, to all peers. */
  get load(): { readonly waiting: number; readonly inFlight: number } {
    let [waiting, inFlight] = [0, 0]

    for (const stream of this.#streams.values()) {
      waiting += stream.waiting
      inFlight += stream.inFlight
    }

    return { waiting, inFlight }
  }

  /** Ends all streams. */
  close(): void {
    this.#isClosed = true

    for (const stream of this.#streams.values()) {
      stream.close(new AbortError('the node was stopped'))
    }
  }

  #lacks(name: string): boolean {
    const untilMs = this.#lacking.size === 0 ? undefined : this.#lacking.get(name)

    if (untilMs !== undefined && untilMs < performance.now()) {
      this.#lacking.delete(name)
      return false
    }

    return untilMs !== undefined
  }

  /** Returns the stream to a peer, or opens one. */
  #streamTo(peer: PeerInfo, name: string): RequestStream<Q, R, M> {
    const known = this.#streams.get(name)

    if (known !== undefined) {
      return known
    }

    const { peers, dialer, buffers, speak } = this.#init
    const stream = new RequestStream<Q, R, M>({
      ...{ protocol: speak(peer), limits: this.#limits, buffers, peer: name },
      open: (waiting) => dialer.openStream(this.#addresses.get(name) ?? peer, this.#id, waiting),
      onUrgent: () => dialer.hasten(peer, this.#id),
      onReply: () => peers.recordResponse(peer.id),
      onViolation: (error) => peers.ban(peer.id, error),
      onEnd: (error, unanswered) => {
        this.#streams.delete(name)
        this.#addresses.delete(name)
        this.#repeat(peer, error, unanswered)
        this.#init.onEnd?.(peer)
      }
    })
    this.#streams.set(name, stream)
    return stream
  }

  /**
   * Repeats requests whose stream ended, twice at most: the peer may have closed a connection that looked idle.
   * Does not repeat after a violation, or once this node has stopped.
   */
  #repeat(peer: PeerInfo, error: Error, unanswered: readonly PendingRequest<Q, R>[]): void {
    const isHopeless = this.#isClosed || error instanceof ProtocolViolationError

    for (const pending of unanswered) {
      const { cancellation, repetitions = 0 } = pending

      if (isHopeless || cancellation?.isCancelled || repetitions === MAX_REPETITIONS) {
        pending.reject(error)
      } else {
        const stream = this.#streamTo(peer, peer.id.toString())
        stream.add({ ...pending, repetitions: repetitions + 1 })
        cancellation?.onRepeat?.()
      }
    }
  }
}

/** Settles a promise with a function's result. */
function settle<T>(
  resolve: (result: T | PromiseLike<T>) => void,
  reject: (error: unknown) => void,
  run: () => T | PromiseLike<T>
): void {
  try {
    resolve(run())
  } catch (error) {
    reject(error)
  }
}

function isUnsupported(error: unknown): boolean {
  return error instanceof Error && error.name === 'UnsupportedProtocolError'
}
