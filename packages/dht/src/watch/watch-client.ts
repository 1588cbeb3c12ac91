import type { PeerInfo, Stream } from '@libp2p/interface'
import { toError } from '../errors.ts'
import { nameOf } from '../store/record-store.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { FramedStream } from '../wire/framed-stream.ts'
import { MAX_SILENCE_MS } from '../wire/limits.ts'
import type { EncodedPeer } from '../wire/peer-codec.ts'
import { namedIn } from '../wire/peer-codec.ts'
import { ExchangeProtocolError } from '../wire/protocol-error.ts'
import { RequestQueue, type Waiting } from '../wire/request-queue.ts'
import { MAX_MESSAGES_UNDER_WAY, MAX_QUEUED_KEYS, MAX_UNCHECKED_RECORDS } from './limits.ts'
import { Subscriptions } from './subscriptions.ts'
import {
  WATCHING,
  type WatchedAnswer,
  type WatchedReply,
  type WatchMessage
} from './watch-messages.ts'

export interface WatchClientInit {
  /** The peer has broken the protocol. */
  readonly onViolation?: (error: Error) => void

  /** Opens a stream to the peer. */
  readonly open: () => Promise<Stream>

  /** Reads a peer that a reply introduces; undefined for what is none. */
  readonly contactOf: (peer: EncodedPeer) => PeerInfo | undefined

  /** The peer tells of a change to a key that is watched. */
  readonly onChange: (key: Uint8Array, record: Uint8Array) => void

  /** The peer has answered, be it late. */
  readonly onAnswer: () => void

  /** The peer tells nothing any more: the stream has ended, or could not be opened. */
  readonly onEnd: () => void
}

/** A key to be watched, or to be watched no more. */
export interface WatchQuestion {
  readonly name: 'watch' | 'unwatch'
  readonly key: Uint8Array

  /** Of what is known; without a byte for nothing. */
  readonly digest: Uint8Array
  readonly closerCount: number

  /** Whether the peer may collect changes for a moment. */
  readonly isUnhurried: boolean
}

/** What the peer says to it. */
export interface WatchAnswer extends Omit<WatchedAnswer, 'closer'> {
  readonly closer: readonly PeerInfo[]
}

type Asked = Waiting<WatchQuestion, WatchAnswer>

/**
 * Watches keys at one peer, over one stream. Questions of one tick travel together and are answered in
 * their order. A change to a key that was never asked for ends the stream, and so does silence where
 * an answer is due. A stream that ends fails what is under way on it, and the client with it: whoever
 * wants to go on makes another one.
 */
export class WatchClient {
  readonly #init: WatchClientInit
  readonly #underWay: Asked[][] = []
  readonly #queue = new RequestQueue<WatchQuestion, WatchAnswer>({ sizeOf, isAlike })
  readonly #standings = new Subscriptions()
  #stream: FramedStream<WatchMessage> | undefined
  #isOpening = false
  #isFlushScheduled = false

  /** How many records are being checked. */
  #unchecked = 0

  /** Since when, in ms of the process's clock, nothing has been heard though an answer is due. */
  #silentSinceMs = 0
  #endedBy: Error | undefined

  constructor(init: WatchClientInit) {
    this.#init = init
  }

  /** Rejects when the peer gives no usable answer, or nobody wanted one before it was asked. */
  ask(question: WatchQuestion, cancellation?: CancellationToken): Promise<WatchAnswer> {
    if (this.#endedBy !== undefined) {
      return Promise.reject(this.#endedBy)
    }

    if (this.#queue.length >= MAX_QUEUED_KEYS) {
      return Promise.reject(new Error(`${MAX_QUEUED_KEYS} keys wait for the peer already`))
    }

    return new Promise((resolve, reject) => {
      this.#queue.push({ question, cancellation, resolve, reject })
      this.#scheduleFlush()
    })
  }

  /**
   * What the peer has sent is checked until the promise settles. That takes more work than to send it: with
   * too much of it under way the peer has to wait, so that it does not pile up here.
   */
  checking(checked: PromiseLike<unknown>): void {
    this.#unchecked++
    const release = this.#unchecked < MAX_UNCHECKED_RECORDS ? undefined : this.#stream?.hold()
    const onChecked = (): void => {
      this.#unchecked--
      release?.()
    }
    checked.then(onChecked, onChecked)
  }

  /** Ends the stream; what is under way or waiting rejects. */
  close(error: Error): void {
    this.#stream?.close(error)
    this.#end(error)
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

    if (this.#underWay.length > 0 && performance.now() - this.#silentSinceMs > MAX_SILENCE_MS) {
      stream.close(new Error(`the peer has been silent for more than ${MAX_SILENCE_MS} ms`))
      return
    }

    while (
      this.#queue.length > 0 &&
      !stream.isBlocked &&
      this.#underWay.length < MAX_MESSAGES_UNDER_WAY
    ) {
      this.#send(stream, this.#queue.takeBatch())
    }
  }

  #open(): void {
    if (this.#isOpening || this.#queue.length === 0) {
      return
    }

    this.#isOpening = true
    this.#init.open().then(
      (stream) => this.#onOpen(stream),
      (error: unknown) => this.#end(toError(error))
    )
  }

  #onOpen(stream: Stream): void {
    if (this.#endedBy !== undefined) {
      stream.abort(this.#endedBy)
      return
    }

    this.#stream = new FramedStream<WatchMessage>({
      stream,
      language: WATCHING,
      onMessage: (message) => this.#onMessage(message),
      onViolation: (error) => this.#init.onViolation?.(error),
      onClose: (error) => this.#end(error),
      onDrain: () => this.#flush()
    })
    this.#flush()
  }

  #send(stream: FramedStream<WatchMessage>, batch: Asked[]): void {
    if (batch.length === 0) {
      return
    }

    if (this.#underWay.length === 0) {
      this.#silentSinceMs = performance.now()
    }

    for (const { question } of batch) {
      this.#standings.asked(nameOf(question.key), question.name === 'watch')
    }

    this.#underWay.push(batch)
    stream.send(requestOf(batch))
  }

  #onMessage(message: WatchMessage): void {
    switch (message.name) {
      case 'changed':
        this.#onChange(message.key, message.record)
        break
      case 'watched':
        this.#onAnswers(message)
        break
      default:
        throw new ExchangeProtocolError(`the peer sent a message "${message.name}"`)
    }
  }

  #onChange(key: Uint8Array, record: Uint8Array): void {
    const meaning = this.#standings.told(nameOf(key))

    if (meaning === 'never asked for') {
      throw new ExchangeProtocolError('the peer tells of a key that it was not asked to watch')
    }

    if (meaning === 'wanted') {
      this.#init.onChange(key, record)
    }
  }

  #onAnswers({ peers, answers }: WatchedReply): void {
    const [batch] = this.#underWay

    if (batch === undefined || !isReplyTo(answers, batch)) {
      throw new ExchangeProtocolError('the peer sent what answers no question')
    }

    this.#underWay.shift()
    this.#silentSinceMs = performance.now()
    this.#init.onAnswer()
    const contacts = peers.map(this.#init.contactOf)

    for (const [index, answer] of answers.entries()) {
      const waiting = batch[index]

      if (waiting !== undefined) {
        this.#standings.answered(nameOf(waiting.question.key), answer.state)
        waiting.resolve({ ...answer, closer: namedIn(contacts, answer.closer) })
      }
    }

    this.#queue.putBack(batch.slice(answers.length))
    this.#flush()
    this.#closeIfIdle()
  }

  #closeIfIdle(): void {
    if (this.#standings.size === 0 && this.#queue.length === 0 && this.#underWay.length === 0) {
      this.#stream?.close(new Error('nothing is watched any more'))
    }
  }

  #end(error: Error): void {
    if (this.#endedBy !== undefined) {
      return
    }

    this.#endedBy = error

    for (const { reject } of [...this.#underWay.flat(), ...this.#queue.takeAll()]) {
      reject(error)
    }

    this.#init.onEnd()
  }
}

function sizeOf({ key }: WatchQuestion): number {
  return key.length
}

function isAlike(a: WatchQuestion, b: WatchQuestion): boolean {
  return a.name === b.name && a.closerCount === b.closerCount && a.isUnhurried === b.isUnhurried
}

function requestOf(batch: readonly Asked[]): WatchMessage {
  const questions = batch.map(({ question }) => question)
  const [first] = questions

  if (first?.name === 'watch') {
    const { closerCount, isUnhurried } = first
    return { name: 'watch', closerCount, isUnhurried, keys: questions }
  }

  return { name: 'unwatch', keys: questions.map(({ key }) => key) }
}

/** A WATCH may be answered in part, so that no reply grows too large; an UNWATCH is answered whole. */
function isReplyTo(answers: readonly WatchedAnswer[], batch: readonly Asked[]): boolean {
  const isEnding = batch[0]?.question.name === 'unwatch'
  const isEnough = isEnding ? answers.length === batch.length : answers.length > 0
  return (
    isEnough &&
    answers.length <= batch.length &&
    answers.every(({ state }) => (state === 'ended') === isEnding)
  )
}
