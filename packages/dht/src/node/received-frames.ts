import { type MessageStream, StreamMessageEvent } from '@libp2p/interface'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { FrameScanner, UNFINISHED } from './yamux-frames.ts'

/** Turns of buffered frames that are passed on when the connection ends: more would be a flood. */
const MAX_LAST_TURNS = 64

type Listener = (event: StreamMessageEvent) => void

/** The receivers of connections' frames. */
const receivers = new WeakMap<MessageStream, ReceivedFrames>()

/** Whether frames of a connection wait here. Further ones should wait before they are delivered, where they are counted. */
export function areFramesHeld(connection: MessageStream): boolean {
  return receivers.get(connection)?.isHolding === true
}

export interface ReceivedFramesInit {
  readonly connection: MessageStream

  /** Called with the first data, which shows that the other side reads its streams. */
  readonly onData: () => void
}

/**
 * Passes on a muxer's received frames, and gives an application time to listen to a new stream: frames on it wait
 * for the end of the turn. Otherwise, when a whole stream arrives at once, libp2p merges its messages, and an
 * iterator that begins after the stream's end never ends.
 */
export class ReceivedFrames {
  readonly #init: ReceivedFramesInit
  readonly #scanner = new FrameScanner()
  readonly #listeners: Listener[] = []

  /** Streams that were opened in this turn. */
  #opened: Set<number> | undefined

  /** Bytes for the next turn. */
  #held: Uint8Array[] = []
  #hasData = false

  constructor(init: ReceivedFramesInit) {
    this.#init = init
    receivers.set(init.connection, this)
    init.connection.addEventListener('message', (event) =>
      this.#receive(event.data.subarray(), event)
    )
    init.connection.addEventListener('close', () => {
      for (let turn = 0; turn < MAX_LAST_TURNS && this.#held.length > 0; turn++) {
        this.#release()
      }

      this.#held = []
    })
  }

  /** Whether frames wait for the next turn. */
  get isHolding(): boolean {
    return this.#held.length > 0
  }

  listen(listener: Listener): void {
    this.#listeners.push(listener)
  }

  /** @param event - the one that brought all of these bytes, if any. It is passed on, as making another one takes longer than all else here. */
  #receive(bytes: Uint8Array, event?: StreamMessageEvent): void {
    if (this.#held.length > 0) {
      this.#held.push(bytes)
      return
    }

    const end = this.#endOfTurn(bytes)

    if (end > 0) {
      const isWhole = end === bytes.length && event !== undefined
      this.#deliver(isWhole ? event : new StreamMessageEvent(bytes.subarray(0, end)))
    }

    if (end < bytes.length) {
      this.#held.push(bytes.subarray(end))
    }
  }

  /** Returns the place before the first frame on a stream that was opened in this turn. */
  #endOfTurn(bytes: Uint8Array): number {
    const scanner = this.#scanner
    const { head } = scanner

    for (let at = scanner.next(bytes, 0); at !== UNFINISHED; at = scanner.next(bytes, at)) {
      if (!this.#hasData && head.isData) {
        this.#hasData = true
        this.#init.onData()
      }

      if (this.#opened?.has(head.stream)) {
        return scanner.rewind(at)
      }

      if (head.opens) {
        this.#open(head.stream)
      }
    }

    return bytes.length
  }

  #open(stream: number): void {
    if (this.#opened === undefined) {
      this.#opened = new Set()
      atEndOfTurn(() => this.#release())
    }

    this.#opened.add(stream)
  }

  /** Begins another turn. */
  #release(): void {
    const held = this.#held
    this.#opened = undefined
    this.#held = []

    for (const bytes of held) {
      this.#receive(bytes)
    }
  }

  #deliver(event: StreamMessageEvent): void {
    for (const listener of this.#listeners) {
      listener(event)
    }
  }
}
