import type { PeerId } from '@libp2p/interface'
import { type DHTRecord, decodeRecord, isEmpty, type MaybePromise } from '@waggle/record'
import { isPromise, lastExpiration, whenDone } from '@waggle/record/replica'
import { BUSY_PAUSE_MS, Scheduler } from '../admission/scheduler.ts'
import { toError } from '../errors.ts'
import { DEFAULT_NODE_LIMITS, type NodeLimits } from '../node-limits.ts'
import type { Access } from '../peers/access.ts'
import { pointOfKey } from '../peers/key-space.ts'
import type { Routing } from '../peers/routing.ts'
import type { RecordStore } from '../store/record-store.ts'
import { CloserPeers } from '../wire/closer-peers.ts'
import type { FramedStream } from '../wire/framed-stream.ts'
import { TARGET_MESSAGE_BYTES } from '../wire/limits.ts'
import type { ServedProtocol, StreamHandler } from '../wire/protocol-server.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import type { MessageCodec } from '../wire/schema.ts'
import {
  EXCHANGE,
  EXCHANGE_PROTOCOL,
  type FindRequest,
  type FoundAnswer,
  type FoundReply,
  type Message,
  type StoredReply,
  type StoreRequest,
  type WireOutcome
} from './messages.ts'
import { OrderedReplies } from './ordered-replies.ts'
import { type Reply, ResponseJob } from './response-job.ts'

export interface ExchangeServerInit {
  readonly store: RecordStore

  /** Where copies are cached; undefined: nowhere. */
  readonly cache?: RecordStore | undefined

  /** For the peers that replies name. */
  readonly routing: Routing

  /** @default DEFAULT_NODE_LIMITS */
  readonly limits?: NodeLimits | undefined

  /**
   * What all protocols share.
   *
   * @default its own
   */
  readonly scheduler?: Scheduler | undefined

  /** Who may write; undefined: everybody. */
  readonly access?: Access | undefined
}

/** A stream, and what is known of the peer that has opened it. */
interface Requester {
  readonly peer: PeerId
  readonly stream: FramedStream<Message>
  readonly replies: OrderedReplies

  /** Whether the peer may write. */
  readonly mayWrite?: boolean
}

/**
 * Replies to other peers' requests from the store that kad-dht's messages use, too. Each key is
 * looked at in one synchronous step; the keys of a large request, and the requests of many peers, take turns.
 * A request is read only when those before it on its stream have been answered, or not too many replies
 * wait for the disk.
 */
export class ExchangeServer implements ServedProtocol<Message> {
  readonly id: string = EXCHANGE_PROTOCOL
  readonly codec: MessageCodec<Message> = EXCHANGE
  readonly #init: ExchangeServerInit
  readonly #scheduler: Scheduler
  readonly #maxRequests: number
  #requests = 0

  constructor(init: ExchangeServerInit) {
    const { limits = DEFAULT_NODE_LIMITS, scheduler = new Scheduler(limits) } = init
    this.#init = init
    this.#scheduler = scheduler
    this.#maxRequests = limits.maxRequests
  }

  serve(stream: FramedStream<Message>, peer: PeerId): StreamHandler<Message> {
    const replies = new OrderedReplies(stream, this.#init.store)
    return { onMessage: (message) => this.#accept(message, { peer, stream, replies }) }
  }

  /** Replies to a request, or queues it, or says that there is too much to do. */
  #accept(message: Message, requester: Requester): void {
    const { peer, stream } = requester

    if (
      this.#requests >= this.#maxRequests ||
      !this.#scheduler.admission.admits(peer.toString(), keysIn(message))
    ) {
      stream.send({ name: 'busy', id: message.id })
      setTimeout(stream.pause(), BUSY_PAUSE_MS).unref?.()
      return
    }

    const mayWrite = message.name !== 'store' || this.#mayWrite(peer)

    if (typeof mayWrite === 'boolean') {
      this.#schedule(message, { ...requester, mayWrite })
      return
    }

    const resume = stream.pause()
    mayWrite
      .then((isAllowed) => this.#schedule(message, { ...requester, mayWrite: isAllowed }))
      .finally(resume)
      .catch((error: unknown) => stream.close(toError(error)))
  }

  #mayWrite(peer: PeerId): boolean | Promise<boolean> {
    return this.#init.access?.allows(peer, 'write') ?? true
  }

  #schedule(message: Message, requester: Requester): void {
    const { peer, stream } = requester
    const job = new ResponseJob({
      reply: this.#reply(message, requester),
      id: message.id,
      isWanted: () => stream.isOpen,
      onDone: (reply) => this.#send(reply, requester, message)
    })
    this.#requests++
    this.#scheduler.work.add(peer.toString(), job)

    if (!job.isDone) {
      job.onLeave = stream.pause()
    }
  }

  /** Undefined: nobody wants the reply any more. */
  #send(reply: MaybePromise<Reply> | undefined, requester: Requester, message: Message): void {
    const { replies, stream } = requester

    if (isPromise(reply)) {
      // What takes long to check holds up nothing else.
      stream.trackReply(
        Promise.resolve(reply).then(
          (late) => this.#send(late, requester, message),
          () => this.#send(undefined, requester, message)
        ),
        bytesIn(message)
      )
      return
    }

    const onSent = (): void => {
      this.#requests--
    }

    if (reply === undefined || !stream.isOpen) {
      onSent()
    } else if (reply.name === 'busy') {
      stream.send(reply)
      onSent()
    } else {
      replies.send(reply, onSent)
    }
  }

  #reply(
    message: Message,
    requester: Requester
  ): Generator<undefined, FoundReply | MaybePromise<StoredReply>> {
    switch (message.name) {
      case 'find':
        return this.#find(message, requester)
      case 'store':
        return this.#store(message, requester)
      default:
        throw new ProtocolViolationError(`"${message.name}" is no request`)
    }
  }

  /** Answers as many keys as fit into one message, the first one in any case. */
  *#find(
    { id, keys, closerCount, isCloserAlways }: FindRequest,
    { peer }: Requester
  ): Generator<undefined, FoundReply> {
    const introduced = new CloserPeers(peer)
    const answers: FoundAnswer[] = []
    let sizeBytes = 0

    for (const key of keys) {
      const record = this.#held(key, isCloserAlways)
      sizeBytes += record?.length ?? 0

      if (answers.length > 0 && sizeBytes > TARGET_MESSAGE_BYTES) {
        break
      }

      const count = record === undefined || isCloserAlways ? closerCount : 0
      const closer = this.#closer(key, count, introduced)
      answers.push(record === undefined ? { closer } : { record, closer })
      yield
    }

    return { name: 'found', id, peers: introduced.peers, answers }
  }

  /** A request for closer peers in any case looks for replicas, and a cached copy is none. */
  #held(key: Uint8Array, isReplicaWanted: boolean): Uint8Array | undefined {
    const { store, cache } = this.#init
    return store.encoded(key) ?? (isReplicaWanted ? undefined : cache?.encoded(key))
  }

  /** Resolves later where what comes in takes long to check. */
  *#store(
    request: StoreRequest,
    { peer, mayWrite }: Requester
  ): Generator<undefined, MaybePromise<StoredReply>> {
    const { id, writes, closerCount, isCopy } = request
    const introduced = new CloserPeers(peer)
    const storer = peer.toString()
    const outcomes: MaybePromise<WireOutcome>[] = []
    const closer: number[][] = []

    for (const { key, record } of writes) {
      outcomes.push(mayWrite === true ? this.#takeIn({ key, record, storer }, isCopy) : 'refused')
      closer.push(this.#closer(key, closerCount, introduced))
      yield
    }

    const replyOf = (known: readonly WireOutcome[]): StoredReply => ({
      name: 'stored',
      id,
      peers: introduced.peers,
      answers: known.map((outcome, i) => ({ outcome, closer: closer[i] ?? [] }))
    })

    return outcomes.some(isPromise)
      ? Promise.all(outcomes).then(replyOf)
      : replyOf(outcomes as WireOutcome[])
  }

  #takeIn({ key, record: bytes, storer }: Write, isCopy: boolean): MaybePromise<WireOutcome> {
    const { store, cache } = this.#init
    const into = isCopy ? cache : store
    const failed = (): WireOutcome => (isExpired(bytes, store) ? 'expired' : 'invalid')

    if (into === undefined) {
      return 'full'
    }

    try {
      // Copied: the store keeps what is in the record, and not the whole message with it.
      const received = store.checks.received(key, bytes.slice())
      const outcome = whenDone(received, ({ record }) => apply(into, { key, record, storer }))
      return isPromise(outcome) ? outcome.then(undefined, failed) : outcome
    } catch {
      return failed()
    }
  }

  #closer(key: Uint8Array, count: number, introduced: CloserPeers): number[] {
    return count === 0
      ? []
      : introduced.indexesOf(this.#init.routing.nearest(pointOfKey(key), count))
  }
}

/** Keys that a request asks about. The codec has limited them. */
function keysIn(message: Message): number {
  switch (message.name) {
    case 'find':
      return message.keys.length
    case 'store':
      return message.writes.length
    default:
      return 0
  }
}

/** Nearly all of what a request takes in memory. */
function bytesIn(message: Message): number {
  return message.name === 'store'
    ? message.writes.reduce((sum, { key, record }) => sum + key.length + record.length, 0)
    : 0
}

interface Write {
  readonly key: Uint8Array
  readonly record: Uint8Array
  readonly storer: string
}

/** Nothing is left of what validators refuse. */
function apply(
  store: RecordStore,
  { key, record, storer }: Omit<Write, 'record'> & { readonly record: DHTRecord }
): WireOutcome {
  if (isEmpty(record)) {
    return 'refused'
  }

  const applied = store.apply(key, record, storer)
  return applied.isAccepted ? 'accepted' : applied.reason
}

/** A sound record that came too late: a slow way, or a clock that differs, is no offence. */
function isExpired(bytes: Uint8Array, { clock, limits }: RecordStore): boolean {
  try {
    return lastExpiration(decodeRecord(bytes, limits)) <= clock()
  } catch {
    return false
  }
}
