import type { PeerId, Stream } from '@libp2p/interface'
import {
  type DHTRecord,
  decodeRecord,
  isEmpty,
  isPromise,
  lastExpiration,
  type MaybePromise,
  whenDone
} from '@waggle/record'
import type { Contact, Routing } from '../interface.ts'
import { pointOfKey } from '../lookup/key-space.ts'
import type { RecordStore } from '../store/record-store.ts'
import { Answers } from './answers.ts'
import { wirePeerOf } from './contacts.ts'
import { FramedStream } from './framed-stream.ts'
import { MAX_PEERS_PER_MESSAGE, TARGET_MESSAGE_BYTES } from './limits.ts'
import {
  EXCHANGE,
  type FindRequest,
  type FoundReply,
  type Message,
  type StoredReply,
  type StoreRequest,
  type WireOutcome,
  type WirePeer
} from './messages.ts'
import { ExchangeProtocolError } from './protocol-error.ts'

export interface ExchangeServerInit {
  readonly store: RecordStore

  /** Where copies are remembered; undefined: nowhere. */
  readonly cache?: RecordStore | undefined

  /** For the peers that replies name. */
  readonly routing: Routing
}

/**
 * Answers other peers' questions from the store that kad-dht's messages use, too. Each question is
 * answered in one synchronous step, and taken in only when the answers before it are on their way, or
 * not too many of them wait for the disk.
 */
export class ExchangeServer {
  readonly #init: ExchangeServerInit

  constructor(init: ExchangeServerInit) {
    this.#init = init
  }

  /** Serves a stream that a peer has opened. */
  serve(stream: Stream, asker: PeerId): void {
    const framed = new FramedStream({
      stream,
      language: EXCHANGE,
      isReadingWithWriting: true,
      onMessage: (message) => {
        const reply = this.#reply(message, asker)

        if (isPromise(reply)) {
          framed.owe(Promise.resolve(reply).then((late) => answers.give(late)))
        } else {
          answers.give(reply)
        }
      },
      onClose: () => {}
    })
    const answers = new Answers(framed, this.#init.store)
  }

  #reply(message: Message, asker: PeerId): FoundReply | MaybePromise<StoredReply> {
    switch (message.name) {
      case 'find':
        return this.#find(message, asker)
      case 'store':
        return this.#store(message, asker)
      default:
        throw new ExchangeProtocolError(`"${message.name}" is no request`)
    }
  }

  /** Answers as many keys as fit into one message, the first one in any case. */
  #find({ id, keys, closerCount, isCloserAlways }: FindRequest, asker: PeerId): FoundReply {
    const introduced = new Introduced(asker)
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
    }

    return { name: 'found', id, peers: introduced.peers, answers }
  }

  /** Who wants near peers in any case is looking for the replicas, and a copy does not make one. */
  #held(key: Uint8Array, isReplicaWanted: boolean): Uint8Array | undefined {
    const { store, cache } = this.#init
    return store.encoded(key) ?? (isReplicaWanted ? undefined : cache?.encoded(key))
  }

  /** At once, unless what comes in takes long to check. */
  #store(request: StoreRequest, asker: PeerId): MaybePromise<StoredReply> {
    const outcomes = request.writes.map(({ key, record }) =>
      this.#takeIn(key, record, request.isCopy)
    )

    return outcomes.some(isPromise)
      ? Promise.all(outcomes).then((late) => this.#stored(request, asker, late))
      : this.#stored(request, asker, outcomes as WireOutcome[])
  }

  #stored(
    { id, writes, closerCount }: StoreRequest,
    asker: PeerId,
    outcomes: readonly WireOutcome[]
  ): StoredReply {
    const introduced = new Introduced(asker)
    const answers = outcomes.map((outcome, i) => ({
      outcome,
      closer: this.#closer(writes[i]?.key ?? NO_KEY, closerCount, introduced)
    }))

    return { name: 'stored', id, peers: introduced.peers, answers }
  }

  #takeIn(key: Uint8Array, bytes: Uint8Array, isCopy: boolean): MaybePromise<WireOutcome> {
    const { store, cache } = this.#init
    const into = isCopy ? cache : store
    const failed = (): WireOutcome => (isExpired(bytes, store) ? 'expired' : 'invalid')

    if (into === undefined) {
      return 'full'
    }

    try {
      // Copied: the store keeps what is in the record, and not the whole message with it.
      const received = store.checks.received(key, bytes.slice())
      const outcome = whenDone(received, ({ record }) => apply(into, key, record))
      return isPromise(outcome) ? outcome.then(undefined, failed) : outcome
    } catch {
      return failed()
    }
  }

  #closer(key: Uint8Array, count: number, introduced: Introduced): number[] {
    return count === 0
      ? []
      : introduced.indexesOf(this.#init.routing.nearest(pointOfKey(key), count))
  }
}

/** Nothing is left of what validators refuse. */
function apply(store: RecordStore, key: Uint8Array, record: DHTRecord): WireOutcome {
  if (isEmpty(record)) {
    return 'refused'
  }

  const applied = store.apply(key, record)
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

/** The peers of one reply, each once: without the one who asks, as many as fit, with addresses. */
export class Introduced {
  readonly peers: WirePeer[] = []
  readonly #asker: PeerId
  readonly #indexes = new Map<Contact, number>()
  #sizeBytes = 0

  constructor(asker: PeerId) {
    this.#asker = asker
  }

  indexesOf(contacts: readonly Contact[]): number[] {
    const indexes: number[] = []

    for (const contact of contacts) {
      const index = this.#indexes.get(contact) ?? this.#introduce(contact)

      if (index !== NOWHERE) {
        indexes.push(index)
      }
    }

    return indexes
  }

  /** Its place among the peers, or nowhere: then it is not looked at again. */
  #introduce(contact: Contact): number {
    const index = this.#isWorthIt(contact) ? this.#add(wirePeerOf(contact)) : NOWHERE
    this.#indexes.set(contact, index)
    return index
  }

  #isWorthIt({ id, multiaddrs }: Contact): boolean {
    return multiaddrs.length > 0 && !id.equals(this.#asker)
  }

  #add(peer: WirePeer): number {
    const sizeBytes = peer.addresses.reduce((sum, { length }) => sum + length, peer.id.length)

    if (
      this.peers.length === MAX_PEERS_PER_MESSAGE ||
      this.#sizeBytes + sizeBytes > TARGET_MESSAGE_BYTES
    ) {
      return NOWHERE
    }

    this.#sizeBytes += sizeBytes
    return this.peers.push(peer) - 1
  }
}

const NOWHERE = -1
const NO_KEY = new Uint8Array(0)
