import type { PeerId, Stream } from '@libp2p/interface'
import { type DHTRecord, decodeRecord, isEmpty, type MaybePromise } from '@waggle/record'
import { isPromise, lastExpiration, whenDone } from '@waggle/record/replica'
import { BufferLimits } from '../admission/buffer-limits.ts'
import type { FairQueue } from '../admission/fair-queue.ts'
import type { RateLimits } from '../admission/rate-limits.ts'
import { BUSY_PAUSE_MS, Scheduler } from '../admission/scheduler.ts'
import { toError } from '../errors.ts'
import { DEFAULT_NODE_LIMITS, type NodeLimits } from '../node-limits.ts'
import type { Access } from '../peers/access.ts'
import { pointOfKey } from '../peers/key-space.ts'
import type { Routing } from '../peers/routing.ts'
import type { RecordStore } from '../store/record-store.ts'
import { CloserPeers } from '../wire/closer-peers.ts'
import { FramedStream } from '../wire/framed-stream.ts'
import { MAX_EXCHANGE_STREAMS, TARGET_MESSAGE_BYTES } from '../wire/limits.ts'
import { ExchangeProtocolError } from '../wire/protocol-error.ts'
import {
  EXCHANGE,
  type FindRequest,
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

  /** Where copies are remembered; undefined: nowhere. */
  readonly cache?: RecordStore | undefined

  /** For the peers that replies name. */
  readonly routing: Routing

  /** @default DEFAULT_NODE_LIMITS */
  readonly limits?: NodeLimits | undefined

  /**
   * What other protocols share.
   *
   * @default its own
   */
  readonly scheduler?: Scheduler

  /** Who may write; undefined: everybody. */
  readonly access?: Access | undefined

  /** A peer has broken the protocol. */
  readonly onViolation?: (peer: PeerId, error: Error) => void
}

/** A stream, and what is known of who asks on it. */
interface Asking {
  readonly asker: PeerId
  readonly framed: FramedStream<Message>
  readonly answers: OrderedReplies

  /** Whether what is to be stored may be. */
  readonly mayWrite?: boolean
}

/**
 * Answers other peers' questions from the store that kad-dht's messages use, too. Each key is
 * looked at in one synchronous step; the keys of a large question, and the questions of many peers, take turns.
 * A question is taken in only when those before it on its stream have been answered, or not too many answers
 * wait for the disk.
 */
export class ExchangeServer {
  readonly #init: ExchangeServerInit
  readonly #limits: NodeLimits
  readonly #work: FairQueue
  readonly #admission: RateLimits
  readonly #backlog: BufferLimits
  #requests = 0

  constructor(init: ExchangeServerInit) {
    this.#init = init
    this.#limits = init.limits ?? DEFAULT_NODE_LIMITS
    const { admission, work } = init.scheduler ?? new Scheduler(this.#limits)
    this.#admission = admission
    this.#work = work
    this.#backlog = new BufferLimits(this.#limits)
  }

  /** Serves a stream that a peer has opened. */
  serve(stream: Stream, asker: PeerId): void {
    const { maxMessageBytes, maxBufferedBytesPerPeer, maxRequestsPerPeer } = this.#limits
    const framed = new FramedStream<Message>({
      ...{ stream, language: EXCHANGE },
      ...{ maxMessageBytes, maxUnreadBytes: maxBufferedBytesPerPeer },
      maxOwedAnswers: Math.ceil(maxRequestsPerPeer / MAX_EXCHANGE_STREAMS),
      isReadingWithWriting: true,
      onMessage: (message) => this.#take(message, asking),
      onClose: () => this.#backlog.delete(framed),
      onViolation: (error) => this.#init.onViolation?.(asker, error),
      onBacklog: () => this.#backlog.grew()
    })
    const asking = { asker, framed, answers: new OrderedReplies(framed, this.#init.store) }
    this.#backlog.add(framed, asker.toString())
    this.#backlog.endOldest(asker.toString(), MAX_EXCHANGE_STREAMS)
  }

  /** Stops the clocks. */
  close(): void {
    this.#backlog.stop()
  }

  /** Answers a request, or puts it off, or says that there is too much to do. */
  #take(message: Message, asking: Asking): void {
    const { asker, framed } = asking
    const keys = keysIn(message)

    if (
      this.#requests >= this.#limits.maxRequests ||
      !this.#admission.admits(asker.toString(), keys)
    ) {
      framed.send({ name: 'busy', id: message.id })
      setTimeout(framed.hold(), BUSY_PAUSE_MS).unref?.()
      return
    }

    const mayWrite = message.name !== 'store' || this.#mayWrite(asker)

    if (typeof mayWrite === 'boolean') {
      this.#answer(message, { ...asking, mayWrite })
      return
    }

    const release = framed.hold()
    mayWrite
      .then((allowed) => this.#answer(message, { ...asking, mayWrite: allowed }))
      .finally(release)
      .catch((error: unknown) => framed.close(toError(error)))
  }

  #mayWrite(asker: PeerId): boolean | Promise<boolean> {
    return this.#init.access?.allows(asker, 'write') ?? true
  }

  #answer(message: Message, asking: Asking): void {
    const { asker, framed } = asking
    const answering = new ResponseJob({
      reply: this.#reply(message, asking),
      id: message.id,
      isWanted: () => framed.isOpen,
      onDone: (reply) => this.#give(reply, asking, message)
    })
    this.#requests++
    this.#work.add(asker.toString(), answering)

    if (!answering.isDone) {
      answering.onLeave = framed.hold()
    }
  }

  /** Undefined: nobody wants it any more. */
  #give(reply: MaybePromise<Reply> | undefined, asking: Asking, message: Message): void {
    if (isPromise(reply)) {
      // What takes long to check holds up nothing else.
      asking.framed.owe(
        Promise.resolve(reply).then(
          (late) => this.#give(late, asking, message),
          () => this.#give(undefined, asking, message)
        ),
        bytesIn(message)
      )
      return
    }

    const { answers, framed } = asking
    const onGiven = (): void => {
      this.#requests--
    }

    if (reply === undefined || !framed.isOpen) {
      onGiven()
    } else if (reply.name === 'busy') {
      framed.send(reply)
      onGiven()
    } else {
      answers.give(reply, onGiven)
    }
  }

  #reply(
    message: Message,
    asking: Asking
  ): Generator<undefined, FoundReply | MaybePromise<StoredReply>> {
    switch (message.name) {
      case 'find':
        return this.#find(message, asking)
      case 'store':
        return this.#store(message, asking)
      default:
        throw new ExchangeProtocolError(`"${message.name}" is no request`)
    }
  }

  /** Answers as many keys as fit into one message, the first one in any case. */
  *#find(
    { id, keys, closerCount, isCloserAlways }: FindRequest,
    { asker }: Asking
  ): Generator<undefined, FoundReply> {
    const introduced = new CloserPeers(asker)
    const answers: FoundReply['answers'][number][] = []
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

  /** Who wants near peers in any case is looking for the replicas, and a copy does not make one. */
  #held(key: Uint8Array, isReplicaWanted: boolean): Uint8Array | undefined {
    const { store, cache } = this.#init
    return store.encoded(key) ?? (isReplicaWanted ? undefined : cache?.encoded(key))
  }

  /** Resolves later where what comes in takes long to check. */
  *#store(
    request: StoreRequest,
    { asker, mayWrite }: Asking
  ): Generator<undefined, MaybePromise<StoredReply>> {
    const { id, writes, closerCount, isCopy } = request
    const introduced = new CloserPeers(asker)
    const storer = asker.toString()
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

/** Asking for more than there is to ask for is refused by the reader of messages. */
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

/** Of what is in memory of it, nearly all. */
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
