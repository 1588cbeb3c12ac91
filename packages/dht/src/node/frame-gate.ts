import { TokenBucket } from '../admission/token-bucket.ts'
import { ByteQueue } from '../wire/byte-queue.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'

/*
 * A yamux frame's head (hashicorp/yamux spec, "Framing"): version, type, flags (16 bits), stream
 * (32 bits), length (32 bits), all big end first. So many bytes follow a frame of data.
 */
const HEAD_BYTES = 12
const TYPE_AT = 1
const FLAGS_AT = 3
const LENGTH_AT = 8
const DATA = 0
const SYN = 1

/** Frames of one connection that are given to the muxer at once, and in a second, without a turn. */
const FRAMES_AT_ONCE = 256
const FRAMES_PER_SECOND = 20_000

/** Of these, those that open a stream: each takes as long as some hundred others. */
const OPENINGS_AT_ONCE = 32
const OPENINGS_PER_SECOND = 100

/** What one turn is good for. */
const FRAMES_PER_TURN = 64
const OPENINGS_PER_TURN = 4

export interface FrameGateInit {
  /** Bytes of the largest frame that the muxer may be sent. */
  readonly maxFrameBytes: number

  /** Gives bytes to the muxer. */
  readonly deliver: (bytes: Uint8Array) => void

  /** Calls back once, when it is this connection's turn. */
  readonly turn: (task: () => void) => void

  /** Stops and starts what comes from the other side. */
  readonly pause: () => void
  readonly resume: () => void

  /** Bytes wait here, or in the muxer for the rest of their frame. */
  readonly onBacklog: () => void

  readonly nowMs?: () => number
}

interface Budget {
  frames: number
  openings: number
}

/**
 * Gives a muxer the frames of one connection: some at once, and the others in turns. A frame is
 * a few bytes to send and much more work to read, above all one that opens a stream. What comes too
 * fast for that is held back by TCP, and is nobody's fault.
 *
 * @throws ProtocolViolationError for a frame that is larger than any may be: the muxer would wait for all of it
 */
export class FrameGate {
  readonly #init: FrameGateInit
  readonly #held = new ByteQueue()
  readonly #frames: TokenBucket
  readonly #openings: TokenBucket

  /** What may pass without a turn. */
  readonly #free: Budget = { frames: 0, openings: 0 }

  /** The head that has come so far. */
  readonly #head = new Uint8Array(HEAD_BYTES)
  readonly #view = new DataView(this.#head.buffer)
  #headBytes = 0

  /** Of the frame that is coming. */
  #frameBytes = 0
  #missingBytes = 0
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
    return this.#held.length + (this.#missingBytes > 0 ? this.#frameBytes - this.#missingBytes : 0)
  }

  /** Since when a frame is unfinished, in ms of the process's clock. */
  get stuckSinceMs(): number | undefined {
    return this.#stuckSinceMs
  }

  push(bytes: Uint8Array): void {
    if (this.#held.length > 0 || this.#isTurnDue) {
      this.#hold(bytes)
      return
    }

    if (this.#free.frames < 1 || this.#free.openings < 1) {
      this.#refill()
    }

    const end = this.#scan(bytes, this.#free)
    this.#deliver(end === bytes.length ? bytes : bytes.subarray(0, end))

    if (end < bytes.length) {
      this.#hold(bytes.subarray(end))
    }
  }

  /** Takes what there is, so that the clock is read once for many frames. */
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
    if (this.#missingBytes > 0) {
      this.#stuckSinceMs ??= performance.now()
      this.#init.onBacklog()
    } else {
      this.#stuckSinceMs = undefined
    }

    if (bytes.length > 0) {
      this.#init.deliver(bytes)
    }
  }

  /** Goes through frames as far as the budget allows, and says where that is. Takes from the budget. */
  #scan(bytes: Uint8Array, budget: Budget): number {
    let at = 0

    while (at < bytes.length) {
      if (this.#missingBytes > 0) {
        const passed = Math.min(this.#missingBytes, bytes.length - at)
        this.#missingBytes -= passed
        at += passed
        continue
      }

      if (this.#headBytes === 0 && (budget.frames < 1 || budget.openings < 1)) {
        break
      }

      const count = Math.min(HEAD_BYTES - this.#headBytes, bytes.length - at)

      for (let i = 0; i < count; i++) {
        this.#head[this.#headBytes++] = bytes[at++] ?? 0
      }

      if (this.#headBytes === HEAD_BYTES) {
        this.#begin(budget)
      }
    }

    return at
  }

  /** A whole head has come. */
  #begin(budget: Budget): void {
    const type = this.#head[TYPE_AT]
    const length = this.#view.getUint32(LENGTH_AT)
    this.#headBytes = 0
    this.#frameBytes = type === DATA ? length : 0
    this.#missingBytes = this.#frameBytes
    budget.frames--
    budget.openings -= (this.#head[FLAGS_AT] ?? 0) & SYN && type !== PING ? 1 : 0

    if (this.#frameBytes > this.#init.maxFrameBytes) {
      throw new ProtocolViolationError(
        `a frame has ${length} bytes, at most ${this.#init.maxFrameBytes} are allowed`
      )
    }
  }
}

/** A ping's question has the same flag as what opens a stream. */
const PING = 2
