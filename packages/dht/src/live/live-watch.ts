import type { DHTTime } from '@waggle/record'
import { isPromise } from '@waggle/record/replica'
import { assertFunction } from '../option-checks.ts'
import type { Change } from './change.ts'
import { Delivered } from './delivered.ts'
import type { FoundPlaces } from './places.ts'
import { type Changes, changesTo, type State, type StateReader, type StateSource } from './state.ts'
import { tell } from './tell.ts'
import type { Watch, WatchEvent, WatchOptions } from './watch.ts'

export interface LiveWatchInit<T, K, V, R extends boolean> extends WatchOptions<R> {
  readonly source: StateSource<T, K, V>
  readonly clock: () => DHTTime

  /** Aborted when the DHT stops. */
  readonly lifetime: AbortSignal
}

type Event<T, K, V, R extends boolean> = WatchEvent<T, K, V, R>
type Result<T, K, V, R extends boolean> = IteratorResult<Event<T, K, V, R>, undefined>

/**
 * A watch over states. It reads a state only when its loop or a listener waits, and keeps no queue: a slow loop gets
 * the present state, and the differences from the last one that it got.
 */
export class LiveWatch<T, K, V, R extends boolean> implements Watch<T, K, V, R> {
  readonly #init: LiveWatchInit<T, K, V, R>
  readonly #listeners = new Set<{ readonly hear: (event: Event<T, K, V, R>) => void }>()

  /** The question of the loop that waits. */
  #waiting: PromiseWithResolvers<Result<T, K, V, R>> | undefined
  readonly #onAbort = (): void => this.#end()
  readonly #onChange = (): void => {
    this.#isStale = true
    this.#look()
  }
  #reader: StateReader<T, K, V> | undefined
  #isReading = false

  /** Whether the next reading may give another state. */
  #isStale = true
  #isLooping = false
  #isLoopOver = false
  #isStopped = false

  /** Of the last event. */
  #current: T | undefined
  #isKnown = false

  /** The last state that was read. */
  #read: FoundPlaces<K, V> = new Map()

  /** The places that the loop was given. */
  readonly #delivered = new Delivered<K, V>()
  #isFirst = true

  constructor(init: LiveWatchInit<T, K, V, R>) {
    this.#init = init
  }

  get current(): T | undefined {
    return this.#current
  }

  readonly subscribe = (hear: (event: Event<T, K, V, R>) => void): (() => void) => {
    assertFunction(hear, 'the listener')

    if (this.#isEnded) {
      return () => {}
    }

    const listener = { hear }
    this.#listeners.add(listener)
    this.#look()
    return () => {
      this.#listeners.delete(listener)
      this.#closeIfUnused()
    }
  };

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result<T, K, V, R>> {
    if (this.#isEnded || this.#isLoopOver) {
      return Promise.resolve(DONE)
    }

    if (this.#waiting !== undefined) {
      const next = () => this.next()
      return this.#waiting.promise.then(next, next)
    }

    const waiting = Promise.withResolvers<Result<T, K, V, R>>()
    this.#isLooping = true
    this.#waiting = waiting

    try {
      this.#isStale || this.#isReading ? this.#look() : this.#deliver()
    } catch (error) {
      this.#takeWaiting()?.reject(error)
    }

    return waiting.promise
  }

  /** Ends the loop alone. */
  async return(): Promise<Result<T, K, V, R>> {
    this.#isLooping = false
    this.#isLoopOver = true
    this.#takeWaiting()?.resolve(DONE)
    this.#closeIfUnused()
    return DONE
  }

  async stop(): Promise<void> {
    this.#end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end()
  }

  get #isEnded(): boolean {
    // While it reads, it hears at once when a signal is aborted.
    const isHearing = this.#reader !== undefined
    return this.#isStopped || (!isHearing && this.#hasEnded)
  }

  get #hasEnded(): boolean {
    const { lifetime, signal } = this.#init
    return this.#isStopped || lifetime.aborted || signal?.aborted === true
  }

  /** Reads the state if it may have changed and the loop or a listener wants it, and reports it. */
  #look(): void {
    const isWanted = this.#listeners.size > 0 || this.#waiting !== undefined

    if (!isWanted || !this.#isStale || this.#isReading) {
      return
    }

    this.#reader ??= this.#open()
    const reader = this.#reader

    // The watch may have ended while it had no listeners of its signals: before they were added, or within `open`.
    if (this.#hasEnded) {
      this.#end()
      return
    }

    this.#isReading = true
    this.#isStale = false

    try {
      const state = reader.read()
      isPromise(state) ? this.#await(reader, state) : this.#take(reader, state)
    } catch (error) {
      this.#fail(reader, error)
    }
  }

  #await(reader: StateReader<T, K, V>, state: PromiseLike<State<T, K, V> | undefined>): void {
    state.then(
      (state) => this.#take(reader, state),
      (error) => this.#fail(reader, error)
    )
  }

  #open(): StateReader<T, K, V> {
    const { lifetime, signal, source, onProgress } = this.#init
    lifetime.addEventListener('abort', this.#onAbort)
    signal?.addEventListener('abort', this.#onAbort)
    return source.open({ onChange: this.#onChange, onProgress })
  }

  #take(reader: StateReader<T, K, V>, state: State<T, K, V> | undefined): void {
    this.#isReading = false

    if (reader === this.#reader && state !== undefined) {
      this.#tell(state)
    }

    this.#look()
  }

  #fail(reader: StateReader<T, K, V>, error: unknown): void {
    const hasChanged = this.#isStale || reader !== this.#reader
    this.#isReading = false
    this.#isStale = true

    if (reader === this.#reader) {
      this.#takeWaiting()?.reject(error)
    }

    if (hasChanged) {
      this.#look()
    }
  }

  #tell(state: State<T, K, V>): void {
    const before = this.#read
    const { current, places } = state

    if (this.#isKnown && places === before) {
      this.#deliver()
      return
    }

    const { clock } = this.#init
    const changes = this.#told(changesTo(state, before, clock))
    this.#read = places

    if (!this.#isKnown || changes.length > 0) {
      this.#isKnown = true
      this.#current = current
      this.#hear(current, changes)
    }

    if (this.#waiting !== undefined && changes.length > 0 && this.#delivered.has(before)) {
      this.#give(changes)
    } else {
      this.#delivered.note(before, places, clock)
      this.#deliver()
    }
  }

  #hear(current: T, changes: Event<T, K, V, R>['changes']): void {
    if (this.#listeners.size > 0) {
      const event = { current, changes }

      for (const { hear } of [...this.#listeners]) {
        tell(hear, event)
      }
    }
  }

  /** Gives the loop the differences from its last state. */
  #deliver(): void {
    const hasAll = !this.#isFirst && this.#delivered.has(this.#read)

    if (this.#waiting === undefined || !this.#isKnown || hasAll) {
      return
    }

    const changes = this.#told(this.#delivered.changesTo(this.#read, this.#init.clock))

    if (this.#isFirst || changes.length > 0) {
      this.#give(changes)
    }
  }

  #give(changes: Event<T, K, V, R>['changes']): void {
    this.#isFirst = false
    this.#delivered.take(this.#read)
    const value = { current: this.#current as T, changes }
    this.#takeWaiting()?.resolve({ value, done: false })
  }

  #told(changes: Changes<K, V>): Event<T, K, V, R>['changes'] {
    const isAll = this.#init.renewals || !changes.some(isRenewal)
    const told = isAll ? changes : changes.filter((change) => !isRenewal(change))
    return told as Event<T, K, V, R>['changes']
  }

  #closeIfUnused(): void {
    if (!this.#isLooping && this.#listeners.size === 0) {
      this.#close()
    }
  }

  #end(): void {
    this.#isStopped = true
    this.#listeners.clear()
    this.#takeWaiting()?.resolve(DONE)
    this.#close()
  }

  #takeWaiting(): PromiseWithResolvers<Result<T, K, V, R>> | undefined {
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting
  }

  #close(): void {
    const { lifetime, signal } = this.#init
    lifetime.removeEventListener('abort', this.#onAbort)
    signal?.removeEventListener('abort', this.#onAbort)
    this.#reader?.close()
    this.#reader = undefined
    this.#isStale = true
  }
}

function isRenewal({ type }: Change<unknown, unknown, true>): boolean {
  return type === 'renewed'
}

const DONE = { value: undefined, done: true } as const
