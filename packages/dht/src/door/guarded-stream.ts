import type { AbortOptions, Stream } from '@libp2p/interface'
import { AbstractStream, type SendResult } from '@libp2p/utils'
import { toError } from '../errors.ts'
import { ByteQueue } from '../wire/byte-queue.ts'
import { unreadBytes } from '../wire/unread-bytes.ts'
import { type Cut, delimited, type Unit } from './units.ts'

/** Rules by which a guarded stream passes bytes to its protocol. */
export interface StreamGuard {
  /** Splits the bytes into the units that the protocol reads, such as its messages. */
  readonly cut: Cut

  /** Units to split this way. `cutRest` splits the bytes after them. @default all */
  readonly units?: number

  /** Splits the bytes after those units. */
  readonly cutRest?: Cut

  /** Returns the unit for the protocol, both without their heads. Throwing ends the stream. */
  readonly receive?: (unit: Uint8Array) => Uint8Array

  /** Returns the bytes to send instead of a unit, both with their heads. Each call of `send` is one unit. */
  readonly send?: (unit: Uint8Array) => Uint8Array

  /** Milliseconds to pause reading, given the bytes that just passed in either direction. */
  readonly pause?: (bytes: number) => number
}

export interface GuardedStreamInit {
  readonly stream: Stream
  readonly guard: StreamGuard

  /** Calls back once, in this stream's turn. */
  readonly turn: (task: () => void) => void

  /** Called when bytes arrive that can't be passed on yet. */
  readonly onBacklog: () => void

  /** Called with the fault in the received bytes that ended the stream. */
  readonly onFault: (error: Error) => void
}

/** Bytes that wait on a stream before reading pauses. */
const MAX_WAITING_BYTES: number = 64 * 1024

/** Bytes that libp2p may buffer while reading pauses: more than the largest window. */
const MAX_UNREAD_BYTES: number = 20 * 1024 * 1024

/**
 * A libp2p stream around another one. It passes bytes to the protocol in units: one at a time, each in its turn,
 * and none before sent bytes have gone out. So a protocol that reads as long as data is available can't block the
 * event loop.
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

  /** Received bytes that were not passed on, and sent bytes that could not go out. */
  get bufferedBytes(): number {
    const { stream } = this.#init
    return (
      this.#queue.length + unreadBytes(stream) + stream.writeBufferLength + this.readBufferLength
    )
  }

  /** Time since which a unit is incomplete, in ms of the process's clock. */
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
    this.#scheduleUnit()
  }

  get #units(): number {
    return this.#init.guard.units ?? Number.POSITIVE_INFINITY
  }

  #follow(stream: Stream): void {
    stream.maxReadBufferLength = MAX_UNREAD_BYTES
    stream.addEventListener('message', ({ data }) => {
      this.#queue.push(data.subarray())
      this.#scheduleUnit()
    })
    stream.addEventListener('drain', () => {
      this.safeDispatchEvent('drain')
      this.#scheduleUnit()
    })
    stream.addEventListener('remoteCloseWrite', () => {
      this.#hasEnded = true
      this.#scheduleUnit()
    })
    stream.addEventListener('close', ({ error }) => {
      this.#queue.clear()
      this.onTransportClosed(error)
    })

    // The stream may have ended before a listener was added.
    if (stream.status !== 'open') {
      queueMicrotask(() => this.onTransportClosed(new Error('the stream has ended')))
    } else if (stream.remoteWriteStatus !== 'writable') {
      this.#hasEnded = true
      queueMicrotask(() => this.#scheduleUnit())
    }
  }

  /** Schedules the turn of the first unit, if there is one. */
  #scheduleUnit(): void {
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
      this.#scheduleUnit()
    }
    const waitMs = this.#init.guard.pause?.(bytes) ?? 0
    // Later, so that the protocol first processes the data that it has received.
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

  /** Handles the end of complete units: more bytes may follow, or the stream may have ended. */
  #release(): void {
    if (this.#hasEnded) {
      this.onRemoteCloseWrite()
    } else if (this.#isHeld && this.readStatus === 'readable') {
      this.#isHeld = false

      this.#resume()
    }
  }

  /** Resumes reading. This sends a frame, which fails if the connection has just ended. */
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
