import type { AbortOptions, Stream } from '@libp2p/interface'
import { raceSignal } from 'race-signal'
import { toError } from '../errors.ts'
import { FramedStream } from './framed-stream.ts'
import {
  MAX_KEYS_PER_MESSAGE,
  MAX_QUEUED_QUESTIONS,
  MAX_REQUEST_ID,
  MAX_REQUESTS_UNDER_WAY,
  TARGET_MESSAGE_BYTES
} from './limits.ts'
import type { FoundReply, Message, StoredReply, WireOutcome, WirePeer } from './messages.ts'
import { ExchangeProtocolError } from './protocol-error.ts'

/** What is asked about one key. */
export interface FindQuestion {
  readonly name: 'find'
  readonly key: Uint8Array
  readonly closerCount: number
  readonly isCloserAlways: boolean
}

/** A write to be held. */
export interface StoreQuestion {
  readonly name: 'store'
  readonly key: Uint8Array
  readonly record: Uint8Array
  readonly closerCount: number
}

export type Question = FindQuestion | StoreQuestion

/** `record` answers a FIND, `outcome` a STORE. */
export interface Answer {
  readonly record?: Uint8Array | undefined
  readonly outcome?: WireOutcome | undefined
  readonly closer: readonly WirePeer[]
}

export interface ExchangeClientInit {
  /** Opens a stream to the peer. */
  readonly open: () => Promise<Stream>

  /** The peer has answered, be it late. */
  readonly onAnswer?: () => void

  /** Nothing is open or waiting any more. */
  readonly onIdle?: () => void
}

interface Waiting {
  readonly question: Question
  readonly signal: AbortSignal | undefined
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

/**
 * Asks one peer, over one long-lived stream. Questions of one tick travel in one message, several
 * messages are under way at once, and answers come in any order. A stream that ends fails what is
 * under way on it; the next question opens another.
 */
export class ExchangeClient {
  readonly #init: ExchangeClientInit
  readonly #underWay = new Map<number, readonly Waiting[]>()
  /** In the order in which they are to be asked. What is given up leaves at once, wherever it is. */
  #queue = new Set<Waiting>()
  #stream: FramedStream | undefined
  #isOpening = false
  #isFlushScheduled = false
  #lastId = 0
  #closedBy: Error | undefined

  constructor(init: ExchangeClientInit) {
    this.#init = init
  }

  /** Rejects with the reason of the signal, or when the peer gives no usable answer. */
  async ask(question: Question, { signal }: AbortOptions): Promise<Answer> {
    signal?.throwIfAborted()

    if (this.#queue.size >= MAX_QUEUED_QUESTIONS) {
      throw new Error(`${MAX_QUEUED_QUESTIONS} questions wait for the peer already`)
    }

    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const waiting = { question, signal, resolve, reject }
    this.#queue.add(waiting)
    this.#scheduleFlush()

    try {
      return await raceSignal(promise, signal)
    } finally {
      this.#queue.delete(waiting)
    }
  }

  /** Ends the stream; what is under way or waiting rejects. */
  close(error: Error): void {
    this.#closedBy = error
    this.#stream?.close(error)
    this.#fail(error)
  }

  #scheduleFlush(): void {
    if (!this.#isFlushScheduled) {
      this.#isFlushScheduled = true
      queueMicrotask(() => {
        this.#isFlushScheduled = false
        this.#flush()
      })
    }
  }

  #flush(): void {
    const stream = this.#stream

    if (stream === undefined) {
      this.#open()
      return
    }

    while (
      this.#queue.size > 0 &&
      !stream.isBlocked &&
      this.#underWay.size < MAX_REQUESTS_UNDER_WAY
    ) {
      this.#send(stream, this.#nextBatch())
    }
  }

  #open(): void {
    if (this.#isOpening || this.#queue.size === 0) {
      return
    }

    this.#isOpening = true
    this.#init.open().then(
      (stream) => {
        this.#isOpening = false

        if (this.#closedBy !== undefined) {
          stream.abort(this.#closedBy)
          return
        }

        this.#stream = new FramedStream({
          stream,
          onMessage: (message) => this.#onMessage(message),
          onClose: (error) => this.#fail(error),
          onDrain: () => this.#flush()
        })
        this.#flush()
      },
      (error: unknown) => {
        this.#isOpening = false
        this.#fail(toError(error))
      }
    )
  }

  /** Takes the first of the queue, and those behind it that can go in the same message. */
  #nextBatch(): Waiting[] {
    const batch: Waiting[] = []
    let sizeBytes = 0

    for (const waiting of this.#queue) {
      const { question, signal } = waiting

      if (signal?.aborted !== true) {
        sizeBytes += sizeOf(question)

        if (!isInMessage(question, batch, sizeBytes)) {
          break
        }

        batch.push(waiting)
      }

      this.#queue.delete(waiting)
    }

    return batch
  }

  #send(stream: FramedStream, batch: readonly Waiting[]): void {
    if (batch.length > 0) {
      this.#lastId = this.#lastId === MAX_REQUEST_ID ? 0 : this.#lastId + 1
      this.#underWay.set(this.#lastId, batch)
      stream.send(requestOf(this.#lastId, batch))
    }
  }

  #onMessage(message: Message): void {
    const batch = this.#underWay.get(message.id)
    const isReply = message.name === 'found' || message.name === 'stored'

    if (batch === undefined || !isReply || !isReplyTo(message, batch)) {
      throw new ExchangeProtocolError(
        `the peer sent a message "${message.name}" that answers none of the requests under way`
      )
    }

    this.#underWay.delete(message.id)
    this.#init.onAnswer?.()

    for (const [index, { closer, ...answer }] of message.answers.entries()) {
      batch[index]?.resolve({ ...answer, closer: closer.map((i) => peerAt(message, i)) })
    }

    if (message.answers.length < batch.length) {
      this.#queue = new Set([...batch.slice(message.answers.length), ...this.#queue])
    }

    this.#flush()
  }

  #fail(error: Error): void {
    const failed = [...[...this.#underWay.values()].flat(), ...this.#queue]
    this.#underWay.clear()
    this.#queue.clear()
    this.#stream = undefined

    for (const { reject } of failed) {
      reject(error)
    }

    this.#init.onIdle?.()
  }
}

function requestOf(id: number, batch: readonly Waiting[]): Message {
  const questions = batch.map(({ question }) => question)
  const [first] = questions

  if (first?.name === 'find') {
    const { closerCount, isCloserAlways } = first
    return { name: 'find', id, closerCount, isCloserAlways, keys: questions.map(({ key }) => key) }
  }

  const writes = questions.filter((question) => question.name === 'store')
  return { name: 'store', id, closerCount: first?.closerCount ?? 0, writes }
}

/** Whether a question can go behind those in one message, which then has so many bytes. */
function isInMessage(question: Question, batch: readonly Waiting[], sizeBytes: number): boolean {
  const [first] = batch
  return (
    first === undefined ||
    (sizeBytes <= TARGET_MESSAGE_BYTES &&
      batch.length < MAX_KEYS_PER_MESSAGE &&
      isAlike(question, first.question))
  )
}

function isAlike(a: Question, b: Question): boolean {
  return (
    a.name === b.name &&
    a.closerCount === b.closerCount &&
    (a.name !== 'find' || (b.name === 'find' && a.isCloserAlways === b.isCloserAlways))
  )
}

/** A FIND may be answered in part, so that no reply grows too large; a STORE is answered whole. */
function isReplyTo(
  { name, answers }: FoundReply | StoredReply,
  batch: readonly Waiting[]
): boolean {
  return name === 'found'
    ? batch[0]?.question.name === 'find' && answers.length > 0 && answers.length <= batch.length
    : batch[0]?.question.name === 'store' && answers.length === batch.length
}

function peerAt({ peers }: FoundReply | StoredReply, index: number): WirePeer {
  const peer = peers[index]

  if (peer === undefined) {
    throw new ExchangeProtocolError(`a reply has no peer ${index}`)
  }

  return peer
}

function sizeOf(question: Question): number {
  return question.key.length + (question.name === 'store' ? question.record.length : 0)
}
