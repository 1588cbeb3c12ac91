import type { TypedEventTarget } from '@libp2p/interface'
import { TypedEventEmitter } from 'main-event'
import type { DHTEvents } from './events.ts'

export type ListenOptions = Parameters<TypedEventTarget<DHTEvents>['addEventListener']>[2]

/**
 * Who listens to one DHT: they hear what its node tells until the DHT stops, which the node may
 * outlive. Only this listens to the node and to the DHT's end, as a listener that was given the
 * signal of that end would be kept by it after it was removed.
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
    // Who listened once, or until a signal, leaves by himself.
    this.#endIfUnheard(name)
  }

  /** The node saves itself the trouble of telling what nobody listens to. */
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
