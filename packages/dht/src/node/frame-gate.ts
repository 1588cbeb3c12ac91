import type { Buffering } from '../admission/buffer-limits.ts'
import { TokenBucket } from '../admission/token-bucket.ts'
import { ByteQueue } from '../wire/byte-queue.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import { FrameScanner, UNFINISHED } from './yamux-frames.ts'

/** Frames of one connection that pass without a turn, at once and per second. */
const FRAMES_AT_ONCE = 256
const FRAMES_PER_SECOND = 20_000

/** Among these, frames that open a stream: each takes as long as some hundred others. */
const OPENINGS_AT_ONCE = 32
const OPENINGS_PER_SECOND = 100

/** Frames and openings that one turn allows. */
const FRAMES_PER_TURN = 64
const OPENINGS_PER_TURN = 4

export interface FrameGateInit {
  /** Bytes of the largest allowed frame. */
  readonly maxFrameBytes: number

  /** Passes bytes to the muxer. */
  readonly deliver: (bytes: Uint8Array) => void

  /** Calls back once, in this connection's turn. */
  readonly turn: (task: () => void) => void

  /** Pauses and resumes incoming data. */
  readonly pause: () => void
  readonly resume: () => void

  /** Whether the muxer can take no bytes in this turn. @default never */
  readonly isBlocked?: () => boolean

  /** Called when bytes wait here, or in the muxer for the rest of their frame. */
  readonly onBacklog: () => void

  /** Ends the connection, which makes this node buffer too much. */
  readonly onClose?: (error: Error) => void

  readonly nowMs?: () => number
}

interface Budget {
  frames: number
  openings: number
}

/**
 * Passes the frames of one connection to a muxer: some at once, and the others in turns. A frame takes few bytes to
 * send and much more work to process, above all one that opens a stream. TCP's flow control holds back faster data,
 * which is not a violation.
 *
 * @throws ProtocolViolationError for a frame above the maximum size: the muxer would wait for all of it
 */
export class FrameGate implements Buffering {
  readonly #init: FrameGateInit
  readonly #held = new ByteQueue()
  readonly #frames: TokenBucket
  readonly #openings: TokenBucket

  /** Frames that may pass without a turn. */
  readonly #free: Budget = { frames: 0, openings: 0 }

  readonly #scanner = new FrameScanner()
  #isTurnDue = false
  #stuckSinceMs: number | undefined

  constructor(init: FrameGateInit) {
    const { nowMs = () => performance.now() } = init
    this.#init = init
    this.#frames = new TokenBucket({
      ...{ perSecond: FRAMES_PER_SECOND, burst: FRAMES_AT_ONCE, nowMs }
    })
    this.#openings = new TokenBucket({
      ...{ perSecond: OPENINGS_PER_SECOND, burst: OPENINGS_AT_ONCE, nowMs }
    })
  }

  /** Bytes that wait here, and in the muxer for the rest of their frame. */
  get bufferedBytes(): number {
    const { missingBytes, head } = this.#scanner
    return this.#held.length + (missingBytes > 0 ? head.dataBytes - missingBytes : 0)
  }

  /** Time since which a frame is incomplete, in ms of the process's clock. */
  get stuckSinceMs(): number | undefined {
    return this.#stuckSinceMs
  }

  /** Ends the connection. */
  close(error: Error): void {
    this.#init.onClose?.(error)
  }

  get #isBlocked(): boolean {
    return this.#init.isBlocked?.() === true
  }

  push(bytes: Uint8Array): void {
    if (this.#held.length > 0 || this.#isTurnDue || this.#isBlocked) {
      this.#hold(bytes)
      return
    }

    if (this.#free.frames < 1 || this.#free.openings < 1) {
      this.#refill()
    }

    if (this.#free.frames < 1) {
      this.#hold(bytes)
      return
    }

    const end = this.#scan(bytes, this.#free)
    this.#deliver(end === bytes.length ? bytes : bytes.subarray(0, end))

    if (end < bytes.length) {
      this.#hold(bytes.subarray(end))
    }
  }

  /** Takes all accrued tokens at once, so that the clock is read once for many frames. */
  #refill(): void {
    const [frames, openings] = [this.#frames, this.#openings].map((bucket) => {
      const tokens = Math.floor(bucket.tokens)
      bucket.take(tokens)
      return tokens
    })
    this.#free.frames += frames ?? 0
    this.#free.openings += openings ?? 0
  }

  #hold(bytes: Uint8Array): void {
    this.#held.push(bytes)
    this.#held.settle()
    this.#init.pause()
    this.#init.onBacklog()
    this.#awaitTurn()
  }

  #awaitTurn(): void {
    if (!this.#isTurnDue) {
      this.#isTurnDue = true
      this.#init.turn(() => this.#takeTurn())
    }
  }

  #takeTurn(): void {
    this.#isTurnDue = false

    if (this.#isBlocked) {
      this.#awaitTurn()
      return
    }

    const bytes = this.#held.take(this.#held.length)
    const end = this.#scan(bytes, { frames: FRAMES_PER_TURN, openings: OPENINGS_PER_TURN })
    this.#held.push(bytes.subarray(end))
    this.#deliver(bytes.subarray(0, end))

    if (this.#held.length > 0) {
      this.#awaitTurn()
    } else {
      this.#init.resume()
    }
  }

  #deliver(bytes: Uint8Array): void {
    if (this.#scanner.missingBytes > 0) {
      this.#stuckSinceMs ??= performance.now()
      this.#init.onBacklog()
    } else {
      this.#stuckSinceMs = undefined
    }

    if (bytes.length > 0) {
      this.#init.deliver(bytes)
    }
  }

  /** Scans frames within the budget, subtracts them, and returns the position of the end. */
  #scan(bytes: Uint8Array, budget: Budget): number {
    const scanner = this.#scanner
    const { frames } = budget

    for (let at = scanner.next(bytes, 0); at !== UNFINISHED; at = scanner.next(bytes, at)) {
      if (budget.frames < 1 || budget.openings < 1) {
        return scanner.rewind(at)
      }

      this.#pay(budget)
    }

    // A piece of a frame has been decrypted and is passed on like a whole one.
    budget.frames -= budget.frames === frames ? 1 : 0
    return bytes.length
  }

  /** Subtracts a frame from the budget. */
  #pay(budget: Budget): void {
    const { dataBytes, opens } = this.#scanner.head
    budget.frames--
    budget.openings -= opens ? 1 : 0

    if (dataBytes > this.#init.maxFrameBytes) {
      throw new ProtocolViolationError(
        `a frame has ${dataBytes} bytes, at most ${this.#init.maxFrameBytes} are allowed`
      )
    }
  }
}
