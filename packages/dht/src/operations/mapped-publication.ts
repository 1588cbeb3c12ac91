import type { Key, Subkey, Value } from '@waggle/record'
import type { CallOptions } from '../timing/calls.ts'
import { ignorable } from '../timing/ignorable.ts'
import type { Publication, PublicationState, StopOptions } from './publication.ts'

export interface MappedPublicationInit<V> {
  readonly inner: Publication
  readonly key: Key
  readonly subkey: Subkey | undefined
  readonly value: V

  /** Converts a value to the published one. */
  readonly map: (value: V) => Value
}

/** A publication of values that are published in another form, or under other names. */
export class MappedPublication<V> implements Publication<V> {
  readonly key: Key
  readonly subkey: Subkey | undefined
  readonly #init: MappedPublicationInit<V>
  #value: V

  constructor(init: MappedPublicationInit<V>) {
    this.#init = init
    this.key = init.key
    this.subkey = init.subkey
    this.#value = init.value
  }

  get value(): V {
    return this.#value
  }

  get state(): PublicationState {
    return this.#init.inner.state
  }

  get error(): Error | undefined {
    return this.#init.inner.error
  }

  held(options?: CallOptions): Promise<void> {
    return this.#init.inner.held(options)
  }

  update(value: V): Promise<void> {
    return ignorable(this.#update(value))
  }

  subscribe(listener: (state: PublicationState) => void): () => void {
    return this.#init.inner.subscribe(listener)
  }

  stop(options?: StopOptions): Promise<void> {
    return this.#init.inner.stop(options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #update(value: V): Promise<void> {
    const { inner, map } = this.#init
    const updated = inner.update(map(value))
    this.#value = value
    await updated
  }
}
