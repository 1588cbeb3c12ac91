import type { MessageStream, MultiaddrConnection, StreamCloseEvent } from '@libp2p/interface'
import { overriding } from '../door/overriding.ts'
import { afterMicrotasks } from '../timing/end-of-turn.ts'

/** Milliseconds of one turn of the event loop after which no further listener is told of an end. */
const TURN_MS = 0.5

/** Milliseconds of other work for each millisecond that ends have taken. */
const REST = 2

/** Ends that wait. Beyond it, they are told without a rest, so that they do not pile up. */
const MAX_WAITING = 512

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

/**
 * Tells of connections that other sides have ended, a few at a time. One end takes libp2p and its services up to a
 * millisecond, and a process that dies or a link that breaks ends many at once. Requests of others go on meanwhile:
 * nothing is sent on an ended connection in any case.
 */
export class PacedClosings {
  readonly #waiting: (() => void)[] = []
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

  #add(task: () => void): void {
    this.#waiting.push(task)

    if (!this.#isBusy) {
      this.#isBusy = true
      this.#takeTurn()
    }
  }

  #takeTurn(): void {
    const startMs = performance.now()
    this.#isBusy = this.#waiting.length > 0

    if (!this.#isBusy) {
      return
    }

    // Measured with all that continues in microtasks.
    afterMicrotasks(() => this.#rest(performance.now() - startMs))

    do {
      this.#waiting.shift()?.()
    } while (performance.now() - startMs < TURN_MS && this.#waiting.length > 0)
  }

  #rest(tookMs: number): void {
    const restMs = this.#waiting.length > MAX_WAITING ? 0 : REST * tookMs
    // It keeps the process alive: whoever ends a node waits for the end of its connections.
    setTimeout(() => this.#takeTurn(), restMs)
  }
}
