import type { PeerInfo, Stream } from '@libp2p/interface'
import { BusyError, toError } from '../errors.ts'
import { Alarm } from '../timing/alarm.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { FramedStream } from '../wire/framed-stream.ts'
import {
  GATHERED_QUESTIONS,
  MAX_GATHERING_MS,
  MAX_QUEUED_REQUEST_BYTES,
  MAX_QUEUED_REQUESTS,
  MAX_REQUEST_ID,
  MAX_REQUESTS_UNDER_WAY,
  MAX_SILENCE_MS,
  TARGET_MESSAGE_BYTES
} from '../wire/limits.ts'
import { type EncodedPeer, namedIn } from '../wire/peer-codec.ts'
import { ExchangeProtocolError } from '../wire/protocol-error.ts'
import { RequestQueue, type Waiting } from '../wire/request-queue.ts'
import {
  EXCHANGE,
  type FoundReply,
  type Message,
  type StoredReply,
  type WireOutcome
} from './messages.ts'
import { type ExchangeRequest, isAlike, requestOf, sizeOf } from './requests.ts'

/** `record` answers a FIND, `outcome` a STORE. */
export interface Answer {
  readonly record?: Uint8Array | undefined
  readonly outcome?: WireOutcome | undefined
  readonly closer: readonly PeerInfo[]
}

export interface ExchangeClientInit {
  /** Opens a stream to the peer. */
  readonly open: () => Promise<Stream>

  /** Reads a peer that a reply introduces; undefined for what is none. */
  readonly contactOf: (peer: EncodedPeer) => PeerInfo | undefined

  /** For so long nothing may come while answers are due. @default MAX_SILENCE_MS */
  readonly maxSilenceMs?: number | undefined

  /** The peer has broken the protocol. */
  readonly onViolation?: (error: Error) => void

  /** The peer has answered, be it late. */
  readonly onAnswer?: () => void

  /** Nothing is open or waiting any more. */
  readonly onIdle?: () => void
}

/** So long a full queue is taken for full, once it has been gone through. */
const MIN_SWEEP_MS = 10

type Asked = Waiting<ExchangeRequest, Answer>

/**
 * Asks one peer, over one long-lived stream. Questions of one tick travel in one message, several
 * messages are under way at once, and answers come in any order. A stream that ends fails what is
 * under way on it, and so does one on which nothing comes any more; the next question opens another.
 */
export class ExchangeClient {
  readonly #init: ExchangeClientInit
  readonly #maxSilenceMs: number
  readonly #underWay = new Map<number, readonly Asked[]>()
  readonly #queue = new RequestQueue<ExchangeRequest, Answer>({ sizeOf, isAlike })
  #stream: FramedStream<Message> | undefined
  #isOpening = false
  #isFlushScheduled = false
  #lastId = 0
  /** Since when, in ms of the process's clock, nothing has been heard though an answer is due. */
  #silentSinceMs = 0
  readonly #silence = new Alarm(() => this.#onSilence())
  readonly #gathered = new Alarm(() => this.#sendQueue())
  #bytesUnderWay = 0
  /** When it was looked for questions that nobody wants any more. */
  #sweptAtMs = Number.NEGATIVE_INFINITY
  #closedBy: Error | undefined

  constructor(init: ExchangeClientInit) {
    this.#init = init
    this.#maxSilenceMs = init.maxSilenceMs ?? MAX_SILENCE_MS
  }

  /** Rejects when the peer gives no usable answer, or nobody wanted one before it was asked. */
  ask(question: ExchangeRequest, cancellation?: CancellationToken): Promise<Answer> {
    if (this.#isFull() && !this.#hasRoomAfterAll()) {
      return Promise.reject(
        new BusyError(
          `${MAX_QUEUED_REQUESTS} questions wait for the peer already, or as many bytes`
        )
      )
    }

    return new Promise((resolve, reject) => {
      this.#queue.push({ question, cancellation, resolve, reject })
      this.#scheduleFlush()
    })
  }

  /** How many questions are not sent yet. */
  get waiting(): number {
    return this.#queue.length
  }

  /** How many messages are not answered yet. */
  get underWay(): number {
    return this.#underWay.size
  }

  get isOpen(): boolean {
    return this.#stream !== undefined
  }

  /** Ends the stream; what is under way or waiting rejects. */
  close(error: Error): void {
    this.#closedBy = error
    this.#silence.stop()
    this.#gathered.stop()
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

  /**
   * Sends what waits, but no message for a few questions while answers are due: they wait for the last
   * of these, or for a moment, and travel with those that come meanwhile. With much to do that is most
   * of them, and a message costs far more than a question in it (Nagle's algorithm, RFC 896, with a limit).
   */
  #flush(): void {
    const isWorthwhile =
      this.#underWay.size === 0 ||
      this.#queue.length >= GATHERED_QUESTIONS ||
      this.#queue.bytes >= TARGET_MESSAGE_BYTES

    if (isWorthwhile || this.#queue.length === 0) {
      this.#sendQueue()
    } else {
      this.#gathered.within(MAX_GATHERING_MS)
    }
  }

  #sendQueue(): void {
    const stream = this.#stream

    if (stream === undefined) {
      this.#open()
      return
    }

    if (this.#isTooSilent()) {
      return
    }

    while (
      this.#queue.length > 0 &&
      !stream.isBlocked &&
      this.#underWay.size < MAX_REQUESTS_UNDER_WAY
    ) {
      this.#send(stream, this.#queue.takeBatch())
    }

    stream.flush()
  }

  #isFull(): boolean {
    const bytes = this.#queue.bytes + this.#bytesUnderWay
    return this.#queue.length >= MAX_QUEUED_REQUESTS || bytes >= MAX_QUEUED_REQUEST_BYTES
  }

  /** To go through all that wait takes long, and nothing has changed since a moment ago. */
  #hasRoomAfterAll(): boolean {
    const nowMs = performance.now()

    if (nowMs - this.#sweptAtMs < MIN_SWEEP_MS) {
      return false
    }

    this.#sweptAtMs = nowMs
    this.#queue.dropUnwanted()
    return !this.#isFull()
  }

  /** Ends the stream if it is. */
  #isTooSilent(): boolean {
    const silentMs = performance.now() - this.#silentSinceMs
    const isTooSilent = this.#underWay.size > 0 && silentMs > this.#maxSilenceMs

    if (isTooSilent) {
      this.#stream?.close(
        new Error(`the peer has been silent for more than ${this.#maxSilenceMs} ms`)
      )
    }

    return isTooSilent
  }

  /** What nobody waits for any more must not stay in memory until somebody asks again. */
  #onSilence(): void {
    if (this.#underWay.size > 0 && !this.#isTooSilent()) {
      this.#silence.within(this.#maxSilenceMs)
    }
  }

  #open(): void {
    if (this.#isOpening || this.#queue.length === 0) {
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

        this.#stream = new FramedStream<Message>({
          stream,
          language: EXCHANGE,
          onMessage: (message) => this.#onMessage(message),
          onViolation: (error) => this.#init.onViolation?.(error),
          onClose: (error) => this.#fail(error),
          onDrain: () => this.#sendQueue()
        })
        this.#flush()
      },
      (error: unknown) => {
        this.#isOpening = false
        this.#fail(toError(error))
      }
    )
  }

  #send(stream: FramedStream<Message>, batch: readonly Asked[]): void {
    if (batch.length > 0) {
      if (this.#underWay.size === 0) {
        this.#silentSinceMs = performance.now()
        this.#silence.within(this.#maxSilenceMs)
      }

      this.#lastId = this.#lastId === MAX_REQUEST_ID ? 0 : this.#lastId + 1
      this.#underWay.set(this.#lastId, batch)
      this.#bytesUnderWay += this.#queue.bytesOf(batch)
      stream.send(
        requestOf(
          this.#lastId,
          batch.map(({ question }) => question)
        )
      )
    }
  }

  #onMessage(message: Message): void {
    const batch = this.#underWay.get(message.id)
    const isReply = message.name === 'found' || message.name === 'stored'

    if (batch !== undefined && message.name === 'busy') {
      this.#onBusy(message.id, batch)
      return
    }

    if (batch === undefined || !isReply || !isReplyTo(message, batch)) {
      throw new ExchangeProtocolError(
        `the peer sent a message "${message.name}" that answers none of the requests under way`
      )
    }

    this.#settled(message.id, batch)
    this.#init.onAnswer?.()

    const contacts = message.peers.map(this.#init.contactOf)

    for (const [index, answer] of message.answers.entries()) {
      batch[index]?.resolve({ ...answer, closer: namedIn(contacts, answer.closer) })
    }

    if (message.answers.length < batch.length) {
      this.#queue.putBack(batch.slice(message.answers.length))
    }

    this.#flush()
  }

  #settled(id: number, batch: readonly Asked[]): void {
    this.#underWay.delete(id)
    this.#bytesUnderWay -= this.#queue.bytesOf(batch)
    this.#silentSinceMs = performance.now()
  }

  #onBusy(id: number, batch: readonly Asked[]): void {
    this.#settled(id, batch)

    for (const { reject } of batch) {
      reject(BUSY)
    }

    this.#flush()
  }

  #fail(error: Error): void {
    const failed = [...[...this.#underWay.values()].flat(), ...this.#queue.takeAll()]
    this.#underWay.clear()
    this.#bytesUnderWay = 0
    this.#stream = undefined

    for (const { reject } of failed) {
      reject(error)
    }

    this.#init.onIdle?.()
  }
}

/** Made once: there may be many of them, and just when there is much to do. */
const BUSY = new BusyError('the peer has too much to do')

/** A FIND may be answered in part, so that no reply grows too large; a STORE is answered whole. */
function isReplyTo({ name, answers }: FoundReply | StoredReply, batch: readonly Asked[]): boolean {
  return name === 'found'
    ? batch[0]?.question.name === 'find' && answers.length > 0 && answers.length <= batch.length
    : batch[0]?.question.name === 'store' && answers.length === batch.length
}
