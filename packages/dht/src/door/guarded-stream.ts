import type { AbortOptions, Stream } from '@libp2p/interface'
import { AbstractStream, type SendResult } from '@libp2p/utils'
import { toError } from '../errors.ts'
import { ByteQueue } from '../wire/byte-queue.ts'
import { unreadBytes } from '../wire/unread-bytes.ts'
import { type Cut, delimited, type Unit } from './units.ts'

/** The rules by which a guarded stream passes bytes on to its protocol. */
export interface StreamGuard {
  /** Finds the units that the protocol reads, such as its messages. */
  readonly cut: Cut

  /** Units that are cut like this; whatever follows is cut by `cutRest`. @default all */
  readonly units?: number

  /** Cuts what follows the units. */
  readonly cutRest?: Cut

  /** Gives what the protocol is to see of a unit, both without their heads. What it throws ends the stream. */
  readonly receive?: (unit: Uint8Array) => Uint8Array

  /** Gives what is to be sent instead of a unit, both with their heads. Each call of `send` is one. */
  readonly send?: (unit: Uint8Array) => Uint8Array

  /** Milliseconds to wait before more is taken in, given what has just passed in either direction. */
  readonly pause?: (bytes: number) => number
}

export interface GuardedStreamInit {
  readonly stream: Stream
  readonly guard: StreamGuard

  /** Calls back once, when it is this stream's turn. */
  readonly turn: (task: () => void) => void

  /** Something has come that can't be given on yet. */
  readonly onBacklog: () => void

  /** The fault in the received bytes that ended the stream. */
  readonly onFault: (error: Error) => void
}

/** Bytes that wait on a stream before nothing more is read from it. */
const MAX_WAITING_BYTES: number = 64 * 1024

/** Bytes that libp2p may hold while nothing is read: more than the largest window. */
const MAX_UNREAD_BYTES: number = 20 * 1024 * 1024

/**
 * A libp2p stream of another one's bytes, which reach the protocol behind it in units: one at a time,
 * each when it is its turn, and none before what was sent has gone out. A protocol that reads as
 * long as there is something to read can't keep the event loop to itself then.
 */
export class GuardedStream extends AbstractStream {
  readonly #init: GuardedStreamInit
  readonly #queue = new ByteQueue()
  #received = 0
  #sent = 0
  #isTurnDue = false
  #isHeld = false
  #hasEnded = false
  #stuckSinceMs: number | undefined

  constructor(init: GuardedStreamInit) {
    const { id, protocol, log, direction } = init.stream
    super({ id, protocol, log, direction })
    this.#init = init
    this.#follow(init.stream)
  }

  /** Bytes that have come and were not given on, and those that were sent and could not go out. */
  get bufferedBytes(): number {
    const { stream } = this.#init
    return (
      this.#queue.length + unreadBytes(stream) + stream.writeBufferLength + this.readBufferLength
    )
  }

  /** Since when a unit is unfinished, in ms of the process's clock. */
  get stuckSinceMs(): number | undefined {
    return this.#stuckSinceMs
  }

  sendData(data: { readonly byteLength: number; subarray(): Uint8Array }): SendResult {
    const { guard, stream } = this.#init
    const sentBytes = data.byteLength
    const unit = data.subarray()
    this.#sent++
    guard.pause?.(sentBytes)
    const canSendMore = stream.send(
      guard.send === undefined || this.#sent > this.#units ? unit : guard.send(unit)
    )
    return { sentBytes, canSendMore }
  }

  sendReset(error: Error): void {
    this.#queue.clear()
    this.#init.stream.abort(error)
  }

  async sendCloseWrite(options?: AbortOptions): Promise<void> {
    await this.#init.stream.close(options)
  }

  async sendCloseRead(options?: AbortOptions): Promise<void> {
    this.#queue.clear()
    await this.#init.stream.closeRead(options)
  }

  sendPause(): void {
    this.#hold()
  }

  sendResume(): void {
    this.#takeIn()
  }

  get #units(): number {
    return this.#init.guard.units ?? Number.POSITIVE_INFINITY
  }

  #follow(stream: Stream): void {
    stream.maxReadBufferLength = MAX_UNREAD_BYTES
    stream.addEventListener('message', ({ data }) => {
      this.#queue.push(data.subarray())
      this.#takeIn()
    })
    stream.addEventListener('drain', () => {
      this.safeDispatchEvent('drain')
      this.#takeIn()
    })
    stream.addEventListener('remoteCloseWrite', () => {
      this.#hasEnded = true
      this.#takeIn()
    })
    stream.addEventListener('close', ({ error }) => {
      this.#queue.clear()
      this.onTransportClosed(error)
    })

    // It may have ended before anybody listened.
    if (stream.status !== 'open') {
      queueMicrotask(() => this.onTransportClosed(new Error('the stream has ended')))
    } else if (stream.remoteWriteStatus !== 'writable') {
      this.#hasEnded = true
      queueMicrotask(() => this.#takeIn())
    }
  }

  /** Sees to it that the first unit gets its turn, if there is one. */
  #takeIn(): void {
    if (this.status !== 'open' || this.#isTurnDue) {
      this.#holdIfFull()
      return
    }

    try {
      if (this.#unit() !== undefined) {
        this.#awaitTurn()
      } else {
        this.#release()
      }
    } catch (error) {
      this.#fail(toError(error))
    }

    this.#queue.settle()
    this.#noteBacklog()
  }

  #unit(): Unit | undefined {
    const { cut, cutRest = cut } = this.#init.guard
    return (this.#received < this.#units ? cut : cutRest)(this.#queue)
  }

  #awaitTurn(): void {
    if (this.readStatus !== 'readable' || this.writableNeedsDrain) {
      this.#holdIfFull()
      return
    }

    this.#isTurnDue = true
    this.#holdIfFull()
    this.#init.turn(() => this.#takeTurn())
  }

  #takeTurn(): void {
    const unit = this.status === 'open' ? this.#unit() : undefined
    const bytes = unit === undefined ? 0 : unit.headBytes + unit.bytes

    if (bytes > 0) {
      this.#give(this.#queue.take(bytes), unit?.headBytes ?? 0)
    }

    const goOn = (): void => {
      this.#isTurnDue = false
      this.#takeIn()
    }
    const waitMs = this.#init.guard.pause?.(bytes) ?? 0
    // The protocol has what was given to it first, and this turn of the event loop is over then.
    waitMs > 0 ? setTimeout(goOn, waitMs) : queueMicrotask(goOn)
  }

  #give(unit: Uint8Array, headBytes: number): void {
    const { receive } = this.#init.guard
    const isUnit = this.#received++ < this.#units
    this.#stuckSinceMs = undefined

    try {
      this.onData(isUnit && receive ? delimited(receive(unit.subarray(headBytes))) : unit)
    } catch (error) {
      this.#fail(toError(error))
    }
  }

  #fail(error: Error): void {
    this.abort(error)
    this.#init.onFault(error)
  }

  #holdIfFull(): void {
    if (this.#queue.length >= MAX_WAITING_BYTES) {
      this.#hold()
    }
  }

  #hold(): void {
    if (!this.#isHeld && this.#init.stream.readStatus === 'readable') {
      this.#isHeld = true
      this.#init.stream.pause()
    }
  }

  /** Nothing complete is left: more may come, or that was all. */
  #release(): void {
    if (this.#hasEnded) {
      this.onRemoteCloseWrite()
    } else if (this.#isHeld && this.readStatus === 'readable') {
      this.#isHeld = false

      this.#resume()
    }
  }

  /** Resuming sends something, which fails where the connection has just ended. */
  #resume(): void {
    const { stream } = this.#init

    try {
      if (stream.readStatus === 'paused') {
        stream.resume()
      }
    } catch (error) {
      this.abort(toError(error))
    }
  }

  #noteBacklog(): void {
    if (this.#queue.length > 0) {
      this.#stuckSinceMs ??= performance.now()
      this.#init.onBacklog()
    } else {
      this.#stuckSinceMs = undefined
    }
  }
}
