import { AbortError } from '@libp2p/interface'
import type { Key, MaybePromise, Subkey, Value } from '@waggle/record'
import { whenDone } from '@waggle/record/replica'
import { toError } from '../errors.ts'
import { tell } from '../live/tell.ts'
import { assertCallOptions } from '../operations/call-arguments.ts'
import type { Publication, PublicationState, StopOptions } from '../operations/publication.ts'
import { assertFunction } from '../option-checks.ts'
import type { CallOptions } from '../timing/calls.ts'
import { ignorable } from '../timing/ignorable.ts'

export interface CheckedPublicationInit<V> {
  readonly key: Key
  readonly subkey: Subkey | undefined
  readonly value: V

  /** Throws, or rejects, if a value does not fit. */
  readonly check: (value: V) => MaybePromise<void>

  /** Publishes the value, which fits. */
  readonly begin: (value: V) => Publication
}

/**
 * A publication of values that fit a schema. A schema that answers later has it begin later; if the value does not fit
 * then, it has stopped, and its error says why.
 */
export class CheckedPublication<V> implements Publication<V> {
  readonly #init: CheckedPublicationInit<V>
  readonly #begun: Promise<Publication<V>>
  readonly #listeners = new Set<(state: PublicationState) => void>()
  #inner: Publication<V> | undefined
  #value: V
  #failure: Error | undefined
  #isStopped = false

  /** Counts updates. */
  #lastUpdate = 0

  /** The last update that was published. */
  #appliedUpdate = 0

  /** @throws ValidationError for a value that does not fit, if the schema says so at once */
  constructor(init: CheckedPublicationInit<V>) {
    this.#init = init
    this.#value = init.value
    this.#begun = Promise.resolve(whenDone(init.check(init.value), () => this.#begin()))
    this.#begun.catch((error) => this.#fail(error))
  }

  get key(): Key {
    return this.#init.key
  }

  get subkey(): Subkey | undefined {
    return this.#init.subkey
  }

  get value(): V {
    return this.#value
  }

  get state(): PublicationState {
    return this.#inner?.state ?? (this.#isStopped ? 'stopped' : 'pending')
  }

  get error(): Error | undefined {
    return this.#inner?.error ?? this.#failure
  }

  async held(options?: CallOptions): Promise<void> {
    const inner = await this.#begun
    await inner.held(options)
  }

  update(value: V): Promise<void> {
    return ignorable(this.#update(value))
  }

  subscribe(listener: (state: PublicationState) => void): () => void {
    assertFunction(listener, 'the listener')
    const hear = (state: PublicationState): void => listener(state)
    this.#listeners.add(hear)
    const unsubscribe = this.#inner?.subscribe(hear)
    return () => {
      this.#listeners.delete(hear)
      unsubscribe?.()
    }
  }

  async stop(options: StopOptions = {}): Promise<void> {
    assertCallOptions('stop', options)
    this.#isStopped = true
    await (this.#inner ?? (await this.#begun.catch(() => undefined)))?.stop(options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #update(value: V): Promise<void> {
    const update = ++this.#lastUpdate
    await this.#init.check(value)
    const inner = await this.#begun

    if (update < this.#appliedUpdate) {
      // A later one was checked faster and has replaced this one.
      return inner.held()
    }

    this.#appliedUpdate = update
    const updated = (inner as Publication).update(value as Value)
    this.#value = inner.value
    await updated
  }

  #begin(): Publication<V> {
    if (this.#isStopped) {
      throw new AbortError('the publication has ended')
    }

    const { begin, value } = this.#init
    this.#inner = begin(value) as object as Publication<V>

    for (const hear of this.#listeners) {
      this.#inner.subscribe((state) => this.#listeners.has(hear) && hear(state))
    }

    return this.#inner
  }

  #fail(error: unknown): void {
    this.#isStopped = true
    this.#failure = toError(error)

    for (const hear of this.#listeners) {
      tell(hear, 'stopped')
    }
  }
}
