import type { MultiaddrConnection, StreamCloseEvent } from '@libp2p/interface'
import { overriding } from '../door/overriding.ts'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import { TurnBudget } from '../timing/turn-budget.ts'

/** Milliseconds of one turn of the event loop after which no further listener is called. */
const TURN_MS = 5

type Listener = (event: StreamCloseEvent) => void

/**
 * Reports connections that other sides have ended, a few in a turn of the event loop. One end takes libp2p and its
 * services up to a millisecond, and a process that dies or a link that breaks ends many at once. None waits for longer
 * than its turn: libp2p counts a connection until then, and refuses newcomers for it.
 */
export class PacedClosings {
  readonly #waiting: (() => void)[] = []
  readonly #budget = new TurnBudget()

  /** Listeners that take their turns, by those that they call. */
  readonly #paced = new WeakMap<Listener, Listener>()

  /**
   * Wraps a connection so that its listeners take their turns. Connections that this side ends report it at once.
   */
  pace(connection: MultiaddrConnection): MultiaddrConnection {
    const addEventListener = connection.addEventListener.bind(connection)
    const removeEventListener = connection.removeEventListener.bind(connection)
    const heardBy = (type: string, listener: unknown): unknown =>
      type === 'close' && typeof listener === 'function'
        ? this.#inTurn(listener as Listener)
        : listener

    return overriding<MultiaddrConnection>(connection, {
      addEventListener: (type: string, listener: unknown, options?: unknown) => {
        Reflect.apply(addEventListener, connection, [type, heardBy(type, listener), options])
      },
      removeEventListener: (type: string, listener: unknown, options?: unknown) => {
        Reflect.apply(removeEventListener, connection, [type, heardBy(type, listener), options])
      }
    })
  }

  #inTurn(listener: Listener): Listener {
    const known = this.#paced.get(listener)
    const later: Listener =
      known ?? ((event) => (event.local ? listener(event) : this.#add(() => listener(event))))
    this.#paced.set(listener, later)
    return later
  }

  #add(tell: () => void): void {
    this.#waiting.push(tell)

    if (this.#waiting.length === 1) {
      this.#takeTurn()
    }
  }

  #takeTurn(): void {
    while (this.#waiting.length > 0 && this.#budget.spentMs < TURN_MS) {
      const startMs = performance.now()
      this.#waiting.shift()?.()
      this.#budget.spend(performance.now() - startMs)
    }

    if (this.#waiting.length > 0) {
      // It keeps the process alive: a node that stops waits for the end of its connections.
      atEndOfTurn(() => this.#takeTurn())
    }
  }
}
