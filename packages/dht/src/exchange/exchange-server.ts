import type { PeerId } from '@libp2p/interface'
import {
  type DHTRecord,
  decodeRecord,
  encodeRecord,
  InvalidKeyError,
  isEmpty,
  type MaybePromise,
  RecordTooLargeError,
  ValidationError
} from '@waggle/record'
import {
  beatingEntries,
  encodedSize,
  isPromise,
  lastExpiration,
  whenDone
} from '@waggle/record/replica'
import { equals } from 'uint8arrays/equals'
import type { Access } from '../peers/access.ts'
import { pointOfKey } from '../peers/key-space.ts'
import { NearPeers } from '../peers/near-peers.ts'
import type { Routing } from '../peers/routing.ts'
import { digestOfBytes } from '../store/record-digest.ts'
import { nameOf, type RecordStore } from '../store/record-store.ts'
import { ForgedSignatureError } from '../store/signature-checks.ts'
import { CloserPeers } from '../wire/closer-peers.ts'
import { TARGET_MESSAGE_BYTES } from '../wire/limits.ts'
import type { ServedProtocol, StreamHandler } from '../wire/protocol-server.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import type { Response } from '../wire/responder.ts'
import type { MessageCodec } from '../wire/schema.ts'
import type { Served } from '../wire/served.ts'
import {
  ABSENT,
  copyIn,
  type EncodedPart,
  encodedPart,
  type KeyAnswer,
  NO_PEERS,
  partOf,
  SAME
} from './found-answers.ts'
import {
  type EncodedWrite,
  EXCHANGE,
  EXCHANGE_PROTOCOL,
  type FindKey,
  type FindRequest,
  type FoundAnswer,
  type FoundReply,
  type GoodbyeReason,
  type Message,
  type StoredAnswer,
  type StoredReply,
  type StoreRequest,
  type WireOutcome
} from './messages.ts'

export interface ExchangeServerInit {
  readonly store: RecordStore

  /** The records of others that this node has learned; undefined: none. */
  readonly cache?: RecordStore | undefined

  /** Copies that other peers leave here; undefined: none are taken. */
  readonly copies?: RecordStore | undefined

  /** For the peers that replies name. */
  readonly routing: Routing

  /** Whether this node is one of the nearest to a key. Undefined: to every key. */
  readonly isReplicaOf?: ((key: Uint8Array) => boolean) | undefined

  /** Whether other servers have had the time to hand over a key's record if this node lacks it; undefined if unknown. */
  readonly isSettled?: ((key: Uint8Array) => boolean) | undefined

  /** Decides who may write; undefined: everybody may. */
  readonly access?: Access | undefined

  /** Counts answers to writes. Undefined: nobody asks. */
  readonly served?: Served | undefined

  /** Called with a peer that has sent a forged signature. */
  readonly onForgery?: ((peer: PeerId, error: Error) => void) | undefined

  /** Called with each key that is read from the store by a peer that does not look for replicas. */
  readonly onRead?: ((key: Uint8Array) => void) | undefined

  /** Called with each peer that is about to disconnect, and why. */
  readonly onGoodbye?: (peer: PeerId, reason: GoodbyeReason) => void
}

/**
 * Replies to other peers' requests from the store that kad-dht's messages use, too. Each key is
 * looked at in one synchronous step.
 */
export class ExchangeServer implements ServedProtocol<Message> {
  readonly id: string = EXCHANGE_PROTOCOL
  readonly codec: MessageCodec<Message> = EXCHANGE
  readonly mayPass = true
  readonly #init: ExchangeServerInit

  constructor(init: ExchangeServerInit) {
    this.#init = init
  }

  serve(_: unknown, peer: PeerId): StreamHandler<Message> {
    return { respond: (message) => this.#respond(message, peer) }
  }

  #respond(message: Message, peer: PeerId): MaybePromise<Response<Message>> | undefined {
    const { store, access, onGoodbye } = this.#init
    const busy = { name: 'busy', id: message.id } as const

    switch (message.name) {
      case 'find':
        return { keys: countWanted(message), reply: this.#find(message, peer), busy }
      case 'store':
        return whenDone(access?.allows(peer, 'write') ?? true, (mayWrite) => ({
          keys: message.writes.length,
          reply: this.#store(message, { peer, mayWrite }),
          bytes: bytesIn(message),
          busy,
          whenDurable: () => store.whenDurable(),
          notDurable
        }))
      case 'goodbye':
        onGoodbye?.(peer, message.reason)
        return undefined
      default:
        throw new ProtocolViolationError(`"${message.name}" is not a request`)
    }
  }

  /** Answers as many keys as fit into one message, the first one in any case. */
  *#find(request: FindRequest, peer: PeerId): Generator<undefined, FoundReply> {
    const { id, keys, closerCount, isCloserAlways } = request
    const closerPeers = new CloserPeers(peer)
    const answers: FoundAnswer[] = []
    let sizeBytes = 0

    for (const key of keys) {
      const { answer, isFound } = this.#lookup(key, request)
      sizeBytes += 'record' in answer ? answer.record.length : 0

      if (answers.length > 0 && sizeBytes > TARGET_MESSAGE_BYTES) {
        break
      }

      const count = isFound && !isCloserAlways ? 0 : closerCount
      const closer = this.#closer(key.key, count, closerPeers)
      answers.push(closer.length === 0 ? answer : { ...answer, closer })
      yield
    }

    return { name: 'found', id, peers: closerPeers.peers, answers }
  }

  /** A copy is an answer only where it is young enough. A request for closer peers in any case looks for replicas. */
  #lookup(wanted: FindKey, { isCloserAlways, maxAge }: FindRequest): KeyAnswer {
    const { store, cache, copies, isReplicaOf = always, onRead } = this.#init
    const held = encodedPart(store, wanted)

    if (held === undefined || !isReplicaOf(wanted.key)) {
      const copy = copyIn(cache, wanted, maxAge) ?? copyIn(copies, wanted, maxAge)
      return copy === undefined ? this.#without(wanted, held) : { answer: copy, isFound: true }
    }

    if (!isCloserAlways) {
      onRead?.(wanted.key)
    }

    const { digest } = wanted
    const { bytes: record, isFound } = held
    const isKnown = digest.length > 0 && equals(digestOfBytes(record), digest)
    return { answer: isKnown ? SAME : { standing: 'held', record, closer: NO_PEERS }, isFound }
  }

  /** Answers for a key of which this node is no replica, or holds nothing. */
  #without({ key }: FindKey, held: EncodedPart | undefined): KeyAnswer {
    const { isReplicaOf = always, isSettled } = this.#init
    const isAbsent = held === undefined && isSettled?.(key) === true && isReplicaOf(key)
    return isAbsent ? ABSENT : partOf(held)
  }

  /** Resolves later if records take long to check. */
  *#store(
    request: StoreRequest,
    { peer, mayWrite }: Writer
  ): Generator<undefined, MaybePromise<StoredReply>> {
    const { id, writes, closerCount, isCacheOnly } = request
    const closerPeers = new CloserPeers(peer)
    const outcomes: MaybePromise<Outcome>[] = []
    const closer: StoredAnswer['closer'][] = []

    for (const { key, record, known } of writes) {
      outcomes.push(mayWrite ? this.#takeIn({ key, record, peer }, isCacheOnly) : 'refused')
      closer.push(this.#closerUnlessKnown({ key, known }, closerCount, closerPeers))
      yield
    }

    const replyOf = (known: readonly Outcome[]): StoredReply => {
      const answers = answersOf(known, closer)

      for (const { outcome } of answers) {
        this.#init.served?.countWrite(outcome)
      }

      return { name: 'stored', id, peers: closerPeers.peers, answers }
    }

    return outcomes.some(isPromise)
      ? Promise.all(outcomes).then(replyOf)
      : replyOf(outcomes as Outcome[])
  }

  #takeIn(write: Write, isCacheOnly: boolean): MaybePromise<Outcome> {
    const { key, record: bytes, peer } = write
    const { store, copies } = this.#init
    const into = isCacheOnly ? copies : store
    const storer = peer.toString()
    const failed = (error: unknown): Outcome => {
      if (error instanceof ForgedSignatureError) {
        this.#init.onForgery?.(peer, error)
        return 'invalid'
      }

      return failureOf(error, write, store)
    }

    if (into === undefined) {
      return 'full'
    }

    try {
      // Copied: the store keeps what is in the record, and not the whole message with it.
      const encoding = bytes.slice()
      const received = store.checks.receive(key, encoding, storer)
      const outcome = whenDone(received, ({ record }) => {
        const applied = apply(into, { key, record, storer, encoding })

        if (isCacheOnly && (applied === 'accepted' || typeof applied === 'object')) {
          into.markFresh(nameOf(key), performance.now())
        }

        return applied
      })
      return isPromise(outcome) ? outcome.then(undefined, failed) : outcome
    } catch (error) {
      return failed(error)
    }
  }

  #closer(key: Uint8Array, count: number, closerPeers: CloserPeers): number[] {
    return count === 0
      ? []
      : closerPeers.indexesOf(this.#init.routing.nearest(pointOfKey(key), count))
  }

  /** Names the peers near a key, unless they are exactly those that the requester knows. */
  #closerUnlessKnown(
    { key, known }: Pick<EncodedWrite, 'key' | 'known'>,
    count: number,
    closerPeers: CloserPeers
  ): StoredAnswer['closer'] {
    if (count === 0 || known === 0) {
      return this.#closer(key, count, closerPeers)
    }

    const { requester } = closerPeers
    const near = new NearPeers(this.#init.routing, key, count)
    return near.digestBesides(requester) === known
      ? 'known'
      : closerPeers.indexesOf(near.besides(requester))
  }
}

function always(): boolean {
  return true
}

/** Counts the keys of a request. A subkey counts as much as a key, because it takes as long to look up. */
function countWanted({ keys }: FindRequest): number {
  return keys.reduce((sum, { subkeys }) => sum + Math.max(subkeys.length, 1), 0)
}

/** Counts the bytes of a request's records, nearly all of its memory. */
function bytesIn({ writes }: StoreRequest): number {
  return writes.reduce((sum, { key, record }) => sum + key.length + record.length, 0)
}

/** A write that cannot be made durable is held in memory, but not acknowledged: there is no room on the disk. */
function notDurable(reply: Message): Message {
  return reply.name !== 'stored'
    ? reply
    : {
        ...reply,
        answers: reply.answers.map((answer) =>
          answer.outcome === 'accepted' ? { ...answer, outcome: 'full' as const } : answer
        )
      }
}

/** The peer that sends writes, and whether it may. */
interface Writer {
  readonly peer: PeerId
  readonly mayWrite: boolean
}

interface Write {
  readonly key: Uint8Array
  readonly record: Uint8Array
  readonly peer: PeerId
}

/** A write that has passed the checks, and the bytes that were received. */
interface ReceivedWrite {
  readonly key: Uint8Array
  readonly record: DHTRecord
  readonly storer: string
  readonly encoding: Uint8Array
}

/** The outcome of a write; where something beats it, a record of that. */
type Outcome = Exclude<WireOutcome, 'stale'> | DHTRecord

/** Nothing is left of what validators refuse. */
function apply(store: RecordStore, { key, record, storer, encoding }: ReceivedWrite): Outcome {
  if (isEmpty(record)) {
    return 'refused'
  }

  const applied = store.apply(key, record, storer, encoding)

  if (applied.isAccepted) {
    return 'accepted'
  }

  return applied.reason === 'stale' ? beatingEntries(applied.record, record) : applied.reason
}

/** Leaves out what wins where it would make the message too large. */
function answersOf(
  outcomes: readonly Outcome[],
  closer: readonly StoredAnswer['closer'][]
): StoredAnswer[] {
  let sizeBytes = 0

  return outcomes.map((outcome, i) => {
    const peers = closer[i] ?? NO_PEERS

    if (typeof outcome === 'string') {
      return { outcome, closer: peers }
    }

    const isRoomLeft = sizeBytes <= TARGET_MESSAGE_BYTES
    sizeBytes += isRoomLeft ? encodedSize(outcome) : 0
    const isSmall = isRoomLeft && sizeBytes <= TARGET_MESSAGE_BYTES
    return { outcome: 'stale', winner: isSmall ? encodeRecord(outcome) : undefined, closer: peers }
  })
}

/**
 * Says what is wrong with a write that does not pass the checks. One that came too late, over a slow way
 * or from a clock that differs, or that exceeds the limits of this node alone, breaks no rule.
 */
function failureOf(error: unknown, { key, record: bytes }: Write, store: RecordStore): Outcome {
  const { clock, limits } = store
  const isTooLarge =
    error instanceof RecordTooLargeError ||
    (error instanceof InvalidKeyError && key.length > limits.maxKeyBytes)

  if (isTooLarge || !(error instanceof ValidationError)) {
    return isTooLarge ? 'refused' : 'invalid'
  }

  const expirationTime = lastExpiration(decodeRecord(bytes, limits))
  const isTooFar = expirationTime > clock() + limits.maxTtl
  return expirationTime <= clock() ? 'expired' : isTooFar ? 'refused' : 'invalid'
}
