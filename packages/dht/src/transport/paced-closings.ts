import type { MessageStream, MultiaddrConnection, StreamCloseEvent } from '@libp2p/interface'
import { overriding } from '../door/overriding.ts'
import { afterMicrotasks } from '../timing/end-of-turn.ts'

/** Milliseconds of one turn of the event loop after which no further listener is told of an end. */
const TURN_MS = 0.5

/** Milliseconds of other work for each millisecond that ends have taken. */
const REST = 2

/**
 * Milliseconds that an end may wait. libp2p counts the connection until then, and refuses newcomers for it. Beyond it, ends
 * are told without a rest, and many in a turn.
 */
const MAX_WAIT_MS = 100

/** Milliseconds of one turn while ends have waited for too long. */
const LATE_TURN_MS = 10

type Listener = (event: StreamCloseEvent) => void

/** The connections behind the paced ones. */
const originals = new WeakMap<object, MessageStream>()

/**
 * Returns the connection behind a paced one, which tells of its end at once; any other one as it is. The layer above
 * listens to it, so that streams and their requests end together with their connection.
 */
export function unpaced(connection: MessageStream): MessageStream {
  return originals.get(connection) ?? connection
}

/** A listener that has not been told of an end. */
interface Waiting {
  readonly tell: () => void

  /** Time of the end, in ms of the process's clock. */
  readonly sinceMs: number
}

/**
 * Tells of connections that other sides have ended, a few at a time. One end takes libp2p and its services up to a
 * millisecond, and a process that dies or a link that breaks ends many at once. Requests of others go on meanwhile:
 * nothing is sent on an ended connection in any case.
 */
export class PacedClosings {
  readonly #waiting: Waiting[] = []
  #isBusy = false

  /** Wraps a connection so that its listeners take their turns. What this side ends is told at once. */
  pace(connection: MultiaddrConnection): MultiaddrConnection {
    const addEventListener = connection.addEventListener.bind(connection)
    const removeEventListener = connection.removeEventListener.bind(connection)
    const wrapped = new WeakMap<object, Listener>()
    const inTurn = (listener: Listener): Listener => {
      const known = wrapped.get(listener)
      const later =
        known ?? ((event) => (event.local ? listener(event) : this.#add(() => listener(event))))
      wrapped.set(listener, later)
      return later
    }
    const heardBy = (type: string, listener: unknown): unknown =>
      type === 'close' && typeof listener === 'function' ? inTurn(listener as Listener) : listener

    const paced = overriding<MultiaddrConnection>(connection, {
      addEventListener: (type: string, listener: unknown, options?: unknown) => {
        Reflect.apply(addEventListener, connection, [type, heardBy(type, listener), options])
      },
      removeEventListener: (type: string, listener: unknown, options?: unknown) => {
        Reflect.apply(removeEventListener, connection, [type, heardBy(type, listener), options])
      }
    })
    originals.set(paced, connection)
    return paced
  }

  #add(tell: () => void): void {
    this.#waiting.push({ tell, sinceMs: performance.now() })

    if (!this.#isBusy) {
      this.#isBusy = true
      this.#takeTurn()
    }
  }

  get #isLate(): boolean {
    const [oldest] = this.#waiting
    return oldest !== undefined && performance.now() - oldest.sinceMs > MAX_WAIT_MS
  }

  #takeTurn(): void {
    const startMs = performance.now()
    this.#isBusy = this.#waiting.length > 0

    if (!this.#isBusy) {
      return
    }

    // Measured with all that continues in microtasks.
    afterMicrotasks(() => this.#rest(performance.now() - startMs))
    const turnMs = this.#isLate ? LATE_TURN_MS : TURN_MS

    do {
      this.#waiting.shift()?.tell()
    } while (performance.now() - startMs < turnMs && this.#waiting.length > 0)
  }

  #rest(tookMs: number): void {
    const restMs = this.#isLate ? 0 : Math.min(REST * tookMs, MAX_WAIT_MS)
    // It keeps the process alive: whoever ends a node waits for the end of its connections.
    setTimeout(() => this.#takeTurn(), restMs)
  }
}
