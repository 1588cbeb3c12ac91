import type { TypedEventTarget } from '@libp2p/interface'
import { TypedEventEmitter } from 'main-event'
import type { DHTEvents } from './events.ts'

export type ListenOptions = Parameters<TypedEventTarget<DHTEvents>['addEventListener']>[2]

/**
 * The event listeners of one DHT. They receive its node's events until the DHT stops, which the node may outlive.
 * Only this object listens to the node and to the end of the DHT: a signal would keep each listener that it was
 * given with, even after its removal.
 */
export class Listeners {
  readonly #node: TypedEventTarget<DHTEvents>
  readonly #lifetime: AbortSignal
  readonly #own = new TypedEventEmitter<DHTEvents>()
  readonly #heard = new Set<keyof DHTEvents>()

  constructor(node: TypedEventTarget<DHTEvents>, lifetime: AbortSignal) {
    this.#node = node
    this.#lifetime = lifetime
    lifetime.addEventListener('abort', () => this.#close(), { once: true })
  }

  add<K extends keyof DHTEvents>(
    type: K,
    listener: (event: DHTEvents[K]) => void,
    options: ListenOptions
  ): void {
    if (this.#lifetime.aborted) {
      return
    }

    this.#own.addEventListener(type, listener, options)
    this.#heard.add(type)
    this.#node.addEventListener(type, this.#pass)
  }

  remove<K extends keyof DHTEvents>(type: K, listener: (event: DHTEvents[K]) => void): void {
    this.#own.removeEventListener(type, listener)
    this.#endIfUnheard(type)
  }

  readonly #pass = ({ type, detail }: DHTEvents[keyof DHTEvents]): void => {
    const name = type as keyof DHTEvents
    this.#own.safeDispatchEvent<unknown>(name, { detail })
    // A listener for one event, or until a signal, removes itself.
    this.#endIfUnheard(name)
  }

  /** Stops listening to events without listeners, so that the node need not dispatch them. */
  #endIfUnheard(type: keyof DHTEvents): void {
    if (this.#own.listenerCount(type) === 0) {
      this.#node.removeEventListener(type, this.#pass)
      this.#heard.delete(type)
    }
  }

  #close(): void {
    for (const type of this.#heard) {
      this.#node.removeEventListener(type, this.#pass)
    }
  }
}
