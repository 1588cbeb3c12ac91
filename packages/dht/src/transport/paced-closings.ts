import type { MessageStream, MultiaddrConnection, StreamCloseEvent } from '@libp2p/interface'
import { overriding } from '../door/overriding.ts'
import { afterMicrotasks } from '../timing/end-of-turn.ts'

/** Milliseconds of one turn of the event loop after which no further listener is called. */
const TURN_MS = 0.5

/** Milliseconds of other work for each millisecond that ends have taken. */
const REST = 2

/**
 * Milliseconds that an end may wait. libp2p counts the connection until then, and refuses newcomers for it. Beyond it,
 * listeners are called without a rest, and many in a turn.
 */
const MAX_WAIT_MS = 100

/** Milliseconds of one turn while ends have waited for too long. */
const LATE_TURN_MS = 10

type Listener = (event: StreamCloseEvent) => void

/** Views of paced connections whose listeners are told before all others. */
const early = new WeakMap<object, MessageStream>()

/**
 * Returns a view of a paced connection whose listeners are told before those of all others. The layer that ends streams
 * uses it: their requests go to other peers then, while libp2p's own work still waits.
 */
export function toldEarly(connection: MessageStream): MessageStream {
  return early.get(connection) ?? connection
}

/** A listener that has not been called with an end. */
interface Waiting {
  readonly tell: () => void

  /** Time of the end, in ms of the process's clock. */
  readonly sinceMs: number
}

/**
 * Reports connections that other sides have ended, a few at a time. One end takes libp2p and its services up to a
 * millisecond, and a process that dies or a link that breaks ends many at once. Requests of others go on meanwhile:
 * nothing is sent on an ended connection in any case.
 */
export class PacedClosings {
  readonly #early: Waiting[] = []
  readonly #others: Waiting[] = []
  #isBusy = false

  /**
   * Wraps a connection so that its listeners take their turns. Connections that this side ends report it at once.
   */
  pace(connection: MultiaddrConnection): MultiaddrConnection {
    const paced = this.#pace(connection, this.#others)
    early.set(paced, this.#pace(connection, this.#early))
    return paced
  }

  #pace(connection: MultiaddrConnection, queue: Waiting[]): MultiaddrConnection {
    const addEventListener = connection.addEventListener.bind(connection)
    const removeEventListener = connection.removeEventListener.bind(connection)
    const wrapped = new WeakMap<object, Listener>()
    const inTurn = (listener: Listener): Listener => {
      const known = wrapped.get(listener)
      const tell = (event: StreamCloseEvent): void => this.#add(queue, () => listener(event))
      const later = known ?? ((event) => (event.local ? listener(event) : tell(event)))
      wrapped.set(listener, later)
      return later
    }
    const heardBy = (type: string, listener: unknown): unknown =>
      type === 'close' && typeof listener === 'function' ? inTurn(listener as Listener) : listener

    return overriding<MultiaddrConnection>(connection, {
      addEventListener: (type: string, listener: unknown, options?: unknown) => {
        Reflect.apply(addEventListener, connection, [type, heardBy(type, listener), options])
      },
      removeEventListener: (type: string, listener: unknown, options?: unknown) => {
        Reflect.apply(removeEventListener, connection, [type, heardBy(type, listener), options])
      }
    })
  }

  #add(queue: Waiting[], tell: () => void): void {
    queue.push({ tell, sinceMs: performance.now() })

    if (!this.#isBusy) {
      this.#isBusy = true
      this.#takeTurn()
    }
  }

  get #isWaiting(): boolean {
    return this.#early.length + this.#others.length > 0
  }

  get #isLate(): boolean {
    const [oldest] = this.#others
    return oldest !== undefined && performance.now() - oldest.sinceMs > MAX_WAIT_MS
  }

  #takeTurn(): void {
    const startMs = performance.now()
    this.#isBusy = this.#isWaiting

    if (!this.#isBusy) {
      return
    }

    // Measured with all that continues in microtasks.
    afterMicrotasks(() => this.#rest(performance.now() - startMs))
    const turnMs = this.#isLate ? LATE_TURN_MS : TURN_MS

    do {
      const next = this.#early.shift() ?? this.#others.shift()
      next?.tell()
    } while (performance.now() - startMs < turnMs && this.#isWaiting)
  }

  #rest(tookMs: number): void {
    const restMs = this.#isLate ? 0 : Math.min(REST * tookMs, MAX_WAIT_MS)
    // It keeps the process alive: whoever ends a node waits for the end of its connections.
    setTimeout(() => this.#takeTurn(), restMs)
  }
}
