import type { Stream } from '@libp2p/interface'
import type { BufferLimits } from '../admission/buffer-limits.ts'
import { BusyError, toError } from '../errors.ts'
import { Alarm } from '../timing/alarm.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { oneByOne } from '../timing/end-of-turn.ts'
import type { Activity } from './activity.ts'
import { type OpenOptions, UnwantedDialError } from './dialer.ts'
import { FramedStream } from './framed-stream.ts'
import {
  BATCH_REQUESTS,
  INACTIVITY_TIMEOUT_MS,
  MAX_BATCH_DELAY_MS,
  MAX_REQUEST_ID,
  MAX_UNCHECKED_RECORDS,
  TARGET_MESSAGE_BYTES
} from './limits.ts'
import { ProtocolViolationError } from './protocol-violation-error.ts'
import { RequestLanes, type RequestLimits } from './request-lanes.ts'
import type { RequestProtocol } from './request-protocol.ts'
import { type PendingRequest, rejectAll } from './request-queue.ts'
import { RequestsInFlight } from './requests-in-flight.ts'

/** Limits of the requests that a stream holds, and of its inactivity. */
export interface RequestStreamLimits extends RequestLimits {
  /** @default MAX_MESSAGE_BYTES */
  readonly maxMessageBytes?: number | undefined

  /** Milliseconds without a byte after which a stream with due replies ends. @default INACTIVITY_TIMEOUT_MS */
  readonly inactivityTimeoutMs?: number | undefined
}

export interface RequestStreamInit<Q, R, M> {
  readonly protocol: RequestProtocol<Q, R, M>
  readonly limits: RequestStreamLimits

  /** Opens a stream to the peer, as urgently as requests wait for it. */
  readonly open: (waiting: Required<OpenOptions>) => Promise<Stream>

  /** Called when the first request waits for a stream that is being opened for bulk, and is none. */
  readonly onUrgent?: () => void

  /** Counts the bytes of the stream under the peer's name. */
  readonly buffers: BufferLimits
  readonly peer: string

  /** Called with each reply, even a late one. */
  readonly onReply: () => void
  readonly onViolation: (error: Error) => void

  /**
   * Called when the stream has ended, or could not be opened, with the requests that were not sent, or not answered
   * when the peer ended the stream.
   */
  readonly onEnd: (error: Error, unanswered: readonly PendingRequest<Q, R>[]) => void
}

/**
 * Sends requests to one peer over one stream, which it opens for the first of them. Requests of one tick share one
 * message, and several messages are in flight at once. This object ends with the stream. Requests in flight reject,
 * unless the peer ended the stream, which may have looked idle to it.
 */
export class RequestStream<Q, R, M> {
  readonly #init: RequestStreamInit<Q, R, M>
  readonly #inFlight = new RequestsInFlight<Q, R>()
  readonly #queue: RequestLanes<Q, R>
  readonly #inactivity = new Alarm(() => this.#onInactivity())
  readonly #batching = new Alarm(() => this.#sendQueue())
  #stream: FramedStream<M> | undefined
  #isOpening = false

  /** Whether all requests so far were bulk. */
  #isBulk = true
  #isFlushScheduled = false
  #lastId = 0
  #unchecked = 0

  /** Time since which replies are due, in ms of the process's clock. */
  #dueSinceMs = 0
  #endedBy: Error | undefined

  constructor(init: RequestStreamInit<Q, R, M>) {
    this.#init = init
    this.#queue = new RequestLanes(init.protocol, init.limits)
  }

  /** Queued requests. */
  get waiting(): number {
    return this.#queue.length
  }

  /** Messages without a reply. */
  get inFlight(): number {
    return this.#inFlight.size
  }

  /** Whether requests are queued or in flight, or the protocol needs the stream without any. */
  get activity(): Activity {
    const isSubscribed = this.#init.protocol.isIdle?.() === false
    return {
      isBusy: this.#inFlight.size > 0 || this.#queue.length > 0 || isSubscribed,
      usedAtMs: this.#stream?.progressMs ?? performance.now()
    }
  }

  /** Time of the peer's last progress, or at which a reply became due, in ms of the process's clock. */
  get progressMs(): number {
    return Math.max(this.#dueSinceMs, this.#stream?.progressMs ?? 0)
  }

  /** Sends a message without a reply, if the stream is open. Returns whether it was. */
  notify(message: M): boolean {
    const stream = this.isOpen ? this.#stream : undefined
    stream?.send(message)
    stream?.flush()
    return stream !== undefined
  }

  get isOpen(): boolean {
    return this.#stream !== undefined && this.#endedBy === undefined
  }

  /** Rejects when the peer gives no usable response, or the request was cancelled before it was sent. */
  request(request: Q, cancellation?: CancellationToken): Promise<R> {
    return new Promise((resolve, reject) => {
      this.ask({ request, cancellation, resolve, reject })
    })
  }

  /** Queues a request, or rejects it if too many wait. */
  ask(pending: PendingRequest<Q, R>): void {
    if (this.#queue.hasRoom(this.#inFlight.bytes)) {
      this.add(pending)
    } else {
      const { maxRequests } = this.#init.limits
      pending.reject(
        new BusyError(`${maxRequests} requests wait for the peer already, or as many bytes`)
      )
    }
  }

  /** Queues a request, regardless of limits. */
  add(pending: PendingRequest<Q, R>): void {
    if (this.#endedBy !== undefined) {
      pending.reject(this.#endedBy)
      return
    }

    this.#queue.push(pending)
    this.#scheduleFlush()

    if (this.#isBulk && pending.cancellation?.isBulk !== true) {
      this.#isBulk = false
      this.#isOpening && this.#init.onUrgent?.()
    }
  }

  /**
   * Counts a record of the peer as being checked until the promise settles. Checking takes more work than sending,
   * so with too many records in progress reading pauses.
   */
  trackCheck(checked: PromiseLike<unknown>): void {
    this.#unchecked++
    const resume = this.#unchecked < MAX_UNCHECKED_RECORDS ? undefined : this.#stream?.pause()
    const onChecked = (): void => {
      this.#unchecked--
      resume?.()
    }
    checked.then(onChecked, onChecked)
  }

  /** Ends the stream. Queued requests and those in flight reject. */
  close(error: Error): void {
    const unsent = this.#queue.takeAll()
    this.#stream?.close(error)
    this.#end(error)

    rejectAll(unsent, error)
  }

  #scheduleFlush(): void {
    if (!this.#isFlushScheduled) {
      this.#isFlushScheduled = true
      oneByOne(() => {
        this.#isFlushScheduled = false
        this.#flush()
      })
    }
  }

  /**
   * Sends queued requests. While replies are due, a few requests do not get a message of their own: they wait for
   * the last of these replies, or for a moment, and share a message with later ones. Under load most requests are
   * batched, and a message costs far more than a request in it (Nagle's algorithm, RFC 896, with a limit).
   */
  #flush(): void {
    const isWorthwhile =
      this.#inFlight.size === 0 ||
      this.#queue.length >= BATCH_REQUESTS ||
      this.#queue.bytes >= TARGET_MESSAGE_BYTES

    if (isWorthwhile || this.#queue.length === 0) {
      this.#sendQueue()
    } else {
      this.#batching.within(MAX_BATCH_DELAY_MS)
    }
  }

  #sendQueue(): void {
    const stream = this.#stream

    if (stream === undefined) {
      this.#open()
      return
    }

    if (this.#isInactive()) {
      return
    }

    const { bulk, others } = this.#queue

    while (others.length > 0 && !stream.isBlocked && this.#inFlight.hasRoomForOthers) {
      this.#send(stream, others.takeBatch(), false)
    }

    while (bulk.length > 0 && stream.hasRoomForBulk && this.#inFlight.hasRoomForBulk) {
      this.#send(stream, this.#queue.takeBulk(), true)
      stream.flush()
    }

    stream.flush()
    this.#closeIfIdle(stream)
  }

  get #inactivityTimeoutMs(): number {
    return this.#init.limits.inactivityTimeoutMs ?? INACTIVITY_TIMEOUT_MS
  }

  /** Ends the stream if no byte has moved for too long although replies are due. Returns whether it did. */
  #isInactive(): boolean {
    const timeoutMs = this.#inactivityTimeoutMs
    const idleMs = performance.now() - this.progressMs
    const isInactive = this.#inFlight.size > 0 && idleMs > timeoutMs

    if (isInactive) {
      this.#stream?.close(new Error(`the peer has been silent for more than ${timeoutMs} ms`))
    }

    return isInactive
  }

  /** Ends an inactive stream even without further requests: its requests must not stay in memory. */
  #onInactivity(): void {
    if (this.#inFlight.size > 0 && !this.#isInactive()) {
      this.#inactivity.within(this.#inactivityTimeoutMs)
    }
  }

  #open(): void {
    if (this.#isOpening || this.#queue.length === 0) {
      return
    }

    this.#isOpening = true
    this.#init.open({ isWanted: () => this.#isWanted, isBulk: () => this.#isBulk }).then(
      (stream) => this.#onOpen(stream),
      (error: unknown) => this.#failToOpen(toError(error))
    )
  }

  /** Whether any request still waits. */
  get #isWanted(): boolean {
    this.#queue.dropCancelled()
    return this.#queue.length > 0
  }

  #failToOpen(error: Error): void {
    if (error instanceof UnwantedDialError) {
      // Requests that were made since then are repeated.
      this.#end(error)
    } else if (this.#endedBy === undefined) {
      this.close(error)
    }
  }

  #onOpen(stream: Stream): void {
    if (this.#endedBy !== undefined) {
      stream.abort(this.#endedBy)
      return
    }

    const { buffers, limits, onViolation, peer, protocol } = this.#init
    this.#stream = new FramedStream<M>({
      stream,
      codec: protocol.codec,
      maxMessageBytes: limits.maxMessageBytes,
      mayPass: protocol.idOf !== undefined,
      onBuffered: () => buffers.scheduleCheck(),
      onMessage: (message) => this.#onMessage(message),
      onViolation,
      onClose: (error, isByPeer) => this.#end(error, isByPeer),
      onDrain: () => this.#sendQueue()
    })
    buffers.add(this.#stream, peer)
    this.#flush()
  }

  #send(stream: FramedStream<M>, requests: readonly PendingRequest<Q, R>[], isBulk: boolean): void {
    if (requests.length === 0) {
      return
    }

    const sentMs = performance.now()

    if (this.#inFlight.size === 0) {
      this.#dueSinceMs = sentMs
      this.#inactivity.within(this.#inactivityTimeoutMs)
    }

    this.#lastId = this.#lastId === MAX_REQUEST_ID ? 0 : this.#lastId + 1
    const bytes = this.#queue.bytesOf(requests)
    this.#inFlight.add(this.#lastId, { requests, sentMs, bytes, isBulk })

    try {
      stream.send(this.#init.protocol.messageOf(requests, this.#lastId), isBulk)
    } catch (error) {
      this.#inFlight.delete(this.#lastId)
      rejectAll(requests, toError(error))
    }
  }

  #onMessage(message: M): void {
    const { protocol, onReply } = this.#init

    if (protocol.onNotice?.(message)) {
      return
    }

    const id = protocol.idOf?.(message) ?? this.#inFlight.oldest ?? -1
    const sent = this.#inFlight.get(id)

    if (sent === undefined) {
      throw new ProtocolViolationError('the peer replied to no request in flight')
    }

    const responses = protocol.responsesOf(message, sent)
    this.#inFlight.answer(id)
    this.#dueSinceMs = performance.now()

    if (responses instanceof Error) {
      rejectAll(sent.requests, responses)
    } else {
      onReply()
      this.#resolve(sent.requests, responses)
    }

    this.#flush()
  }

  #resolve(requests: readonly PendingRequest<Q, R>[], responses: readonly R[]): void {
    for (let i = 0; i < responses.length; i++) {
      requests[i]?.resolve(responses[i] as R)
    }

    const isWhole = responses.length === requests.length
    this.#queue.recordAnswers(responses.length, isWhole ? [] : requests.slice(responses.length))
  }

  #closeIfIdle(stream: FramedStream<M>): void {
    const isIdle = this.#queue.length === 0 && this.#inFlight.size === 0

    if (isIdle && this.#init.protocol.isIdle?.()) {
      stream.close(new Error('the stream is idle'))
    }
  }

  #end(error: Error, isByPeer = false): void {
    if (this.#endedBy !== undefined) {
      return
    }

    this.#endedBy = error
    this.#stream && this.#init.buffers.delete(this.#stream)
    this.#inactivity.stop()
    this.#batching.stop()
    const sent = this.#inFlight.takeAll()

    if (!isByPeer) {
      rejectAll(sent, error)
    }

    this.#init.onEnd(error, [...(isByPeer ? sent : []), ...this.#queue.takeAll()])
  }
}
