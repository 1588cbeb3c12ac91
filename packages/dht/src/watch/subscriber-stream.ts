import type { PeerId, Stream } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import type { Scheduler } from '../admission/scheduler.ts'
import { toError } from '../errors.ts'
import { pointOfKey } from '../peers/key-space.ts'
import type { Routing } from '../peers/routing.ts'
import { digestOfBytes } from '../store/record-digest.ts'
import { keyOf, nameOf, type RecordStore } from '../store/record-store.ts'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { CloserPeers } from '../wire/closer-peers.ts'
import { FramedStream } from '../wire/framed-stream.ts'
import { TARGET_MESSAGE_BYTES } from '../wire/limits.ts'
import { ExchangeProtocolError } from '../wire/protocol-error.ts'
import { LEASE_MS } from './limits.ts'
import {
  changedFrame,
  WATCHING,
  type WatchedAnswer,
  type WatchedReply,
  type WatchMessage,
  type WatchRequest
} from './watch-messages.ts'

export interface WatcherInit {
  /** The peer has broken the protocol. */
  readonly onOffence?: (error: Error) => void

  readonly stream: Stream
  readonly peer: PeerId
  readonly store: RecordStore
  readonly routing: Routing

  /** When its questions get their turns. */
  readonly scheduler: Scheduler

  /** Whether there is room for one more key. */
  readonly admit: (name: string) => boolean

  /** A key that was admitted is let go. */
  readonly release: (name: string) => void
  readonly onClose: () => void
}

interface Asked {
  /** When, in ms of the process's clock. */
  readonly atMs: number
  readonly isUnhurried: boolean
}

/**
 * One stream on which a peer is told of changes. Nothing is written to a peer that does not read: what
 * changes meanwhile is kept as the names of keys, and told as it is when the peer reads again.
 */
export class Watcher {
  readonly peer: string
  readonly #init: WatcherInit
  readonly #stream: FramedStream<WatchMessage>

  /** What is watched, and how that was asked for last. */
  readonly #asked = new Map<string, Asked>()

  /** What has changed while the peer did not read. */
  readonly #untold = new Set<string>()
  #usedMs = performance.now()

  constructor(init: WatcherInit) {
    this.#init = init
    this.peer = init.peer.toString()
    this.#stream = new FramedStream<WatchMessage>({
      stream: init.stream,
      language: WATCHING,
      isReadingWithWriting: true,
      onMessage: (message) => this.#onMessage(message),
      onDrain: () => this.#tellRest(),
      onViolation: (error) => init.onOffence?.(error),
      onClose: () => this.#onClose()
    })
  }

  /** Whether changes of a key may be collected for a moment. */
  isUnhurried(name: string): boolean {
    return this.#asked.get(name)?.isUnhurried === true
  }

  /** A key has changed; the frame says how. */
  tell(name: string, frame: Uint8Array): void {
    if (this.#stream.isBlocked) {
      this.#untold.add(name)
    } else {
      this.#stream.sendFrame(frame)
    }
  }

  /** Lets go of keys that have not been asked for again, and of a peer that has asked for none in so long. */
  sweep(): void {
    const untilMs = performance.now() - LEASE_MS

    for (const [name, { atMs }] of this.#asked) {
      if (atMs < untilMs) {
        this.#release(name)
      }
    }

    if (this.#asked.size === 0 && this.#usedMs < untilMs) {
      this.#stream.close(new Error(`nothing is watched for ${LEASE_MS} ms`))
    }
  }

  #onMessage(message: WatchMessage): void {
    this.#usedMs = performance.now()

    switch (message.name) {
      case 'watch':
        this.#answer(message.keys.length, this.#watch(message))
        break
      case 'unwatch':
        this.#answer(message.keys.length, this.#unwatch(message.keys))
        break
      default:
        throw new ExchangeProtocolError(`"${message.name}" is no request`)
    }
  }

  /** Takes in the next question when this one is answered, and in another turn, so that small ones have an end, too. */
  #answer(keys: number, answer: Generator<undefined, WatchedReply>): void {
    const { scheduler } = this.#init
    const release = this.#stream.hold()
    const isWanted = (): boolean => this.#stream.isOpen
    scheduler
      .run({ peer: this.peer, keys, answer, isWanted })
      .then((reply) => reply && this.#stream.send(reply))
      .catch((error: unknown) => this.#stream.close(toError(error)))
      .finally(() => atEndOfTurn(release))
  }

  /** Answers as many keys as fit into one message, the first one in any case. */
  *#watch({ keys, closerCount, isUnhurried }: WatchRequest): Generator<undefined, WatchedReply> {
    const introduced = new CloserPeers(this.#init.peer)
    const answers: WatchedAnswer[] = []
    let sizeBytes = 0

    for (const { key, digest } of keys) {
      const record = this.#news(key, digest)
      sizeBytes += record?.length ?? 0

      if (answers.length > 0 && sizeBytes > TARGET_MESSAGE_BYTES) {
        break
      }

      const state = this.#isTold(nameOf(key), isUnhurried) ? 'watched' : 'refused'
      const nearest = this.#init.routing.nearest(pointOfKey(key), closerCount)
      const closer = introduced.indexesOf(nearest)
      answers.push(record === undefined ? { state, closer } : { state, record, closer })
      yield
    }

    return { name: 'watched', peers: introduced.peers, answers }
  }

  #isTold(name: string, isUnhurried: boolean): boolean {
    if (!this.#asked.has(name) && !this.#init.admit(name)) {
      return false
    }

    this.#asked.set(name, { atMs: this.#usedMs, isUnhurried })
    this.#untold.delete(name)
    return true
  }

  /** What is held, unless the peer knows it. */
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
    if (this.#asked.delete(name)) {
      this.#untold.delete(name)
      this.#init.release(name)
    }
  }

  #tellRest(): void {
    for (const name of this.#untold) {
      if (this.#stream.isBlocked) {
        break
      }

      this.#untold.delete(name)
      const key = keyOf(name)
      const held = this.#init.store.encoded(key)

      if (held !== undefined) {
        this.#stream.sendFrame(changedFrame(key, held))
      }
    }
  }

  #onClose(): void {
    for (const name of this.#asked.keys()) {
      this.#init.release(name)
    }

    this.#asked.clear()
    this.#untold.clear()
    this.#init.onClose()
  }
}

const ENDED: WatchedAnswer = { state: 'ended', closer: [] }
