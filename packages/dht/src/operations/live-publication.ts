import { type DHTTime, type Key, type Subkey, ValidationError } from '@waggle/record'
import { lastExpiration } from '@waggle/record/replica'
import { toError } from '../errors.ts'
import type { CallOptions } from '../timing/calls.ts'
import { ignorable } from '../timing/ignorable.ts'
import { assertCallOptions } from './call-arguments.ts'
import type { Publication, PublicationState, PublishOptions, StopOptions } from './publication.ts'
import { PublicationStatus } from './publication-status.ts'
import type { KeptValue, Publications } from './publications.ts'
import type { Written } from './writer.ts'
import { renew, type Write } from './writes.ts'

/** The calls that a publication makes. */
export interface PublicationCalls<V> {
  /** Converts a value to a write. Throws if it is invalid. */
  toWrite(value: V): Write

  /** The time for a write, which rises from write to write. */
  now(): DHTTime
  send(write: Write): Promise<Written>

  /** Says why no replica has a write. */
  errorOf(written: Written): Promise<Error>

  /** Deletes a published value with a tombstone that expires at a time. */
  sayGoodbye(write: Write, until: DHTTime, timeoutMs: number | undefined): Promise<void>

  /** Runs a call that waits for a state. */
  wait(options: CallOptions, start: () => Promise<void>): Promise<void>
}

export interface PublicationInit<V> extends PublishOptions {
  readonly key: Key
  readonly value: V

  /** Its place: key and subkey. */
  readonly place: string

  /** The DHT that published it. */
  readonly owner: object
  readonly publications: Publications
  readonly calls: PublicationCalls<V>
}

/** A publication, attempt by attempt. */
export class LivePublication<V> implements Publication<V>, KeptValue {
  readonly #init: PublicationInit<V>
  readonly #status = new PublicationStatus()
  #write: Write
  #value: V

  /** Attempts that failed in a row. */
  #failures = 0

  /** The last expiration that was sent. */
  #sentUntil: DHTTime | undefined
  #isSending = false

  /** Whether the present value is to be sent as soon as the attempt under way has ended. */
  #isDue = false

  /** Whether a peer has connected since the attempt under way began. */
  #isPeerNew = false
  #stopping: Promise<void> | undefined
  readonly #onAbort = (): void => void this.stop()

  constructor(init: PublicationInit<V>) {
    const { calls, signal, value } = init
    this.#init = init
    this.#value = value
    this.#write = calls.toWrite(value)

    if (signal?.aborted === true) {
      this.#status.stop()
    } else {
      signal?.addEventListener('abort', this.#onAbort)
      init.publications.add(this)
      void this.attempt()
    }
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
    return this.#status.state
  }

  get error(): Error | undefined {
    return this.#status.error
  }

  /** Its place: key and subkey. */
  get place(): string {
    return this.#init.place
  }

  /** The DHT that published it. */
  get owner(): object {
    return this.#init.owner
  }

  /** Seconds from a write to the next. */
  get ttl(): number {
    return this.#init.ttl
  }

  async held(options: CallOptions = {}): Promise<void> {
    assertCallOptions('held', options)
    await this.#init.calls.wait(options, () => this.#status.whenHeld())
  }

  update(value: V): Promise<void> {
    return ignorable(this.#update(value))
  }

  subscribe(listener: (state: PublicationState) => void): () => void {
    return this.#status.subscribe(listener)
  }

  async stop(options: StopOptions = {}): Promise<void> {
    assertCallOptions('stop', options)
    const { goodbye = this.#init.goodbye === true, timeoutMs } = options
    this.#stopping ??= this.#stop(goodbye, timeoutMs)
    await this.#stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Ends it without a goodbye: something else of this node is held in its place, or the DHT has stopped. */
  end(): void {
    this.#init.publications.delete(this)
    this.#init.signal?.removeEventListener('abort', this.#onAbort)
    this.#status.stop()
  }

  /** Stores the value, and again if it changes meanwhile. One attempt at a time. */
  async attempt(): Promise<void> {
    if (this.#isSending) {
      return
    }

    this.#isSending = true

    do {
      this.#isDue = false
      this.#isPeerNew = false
      await this.#attemptOnce()
    } while (this.#isDue && !this.#status.isStopped)

    this.#isSending = false
  }

  /** A peer has come that may take what nobody took. */
  onPeer(): void {
    this.#isPeerNew = true

    if (this.state === 'pending') {
      void this.attempt()
    }
  }

  async #update(value: V): Promise<void> {
    this.#status.assertLive()
    this.#write = this.#init.calls.toWrite(value)
    this.#value = value
    this.#init.publications.renumber(this)
    this.#isDue = true
    this.#status.become('pending')
    void this.attempt()
    await this.held()
  }

  async #attemptOnce(): Promise<void> {
    const { calls, publications, ttl } = this.#init
    const write = renew(this.#write, calls.now() + ttl)
    const order = publications.orderOf(this)
    this.#sentUntil = lastExpiration(write.record)

    try {
      const written = await calls.send(write)
      await this.#settle(written, order)
    } catch (error) {
      this.#fail(toError(error))
    }
  }

  async #settle(written: Written, order: number): Promise<void> {
    const { calls, place, publications } = this.#init
    const { outcome } = written

    if (this.#status.isStopped) {
      return
    }

    if (outcome === 'held') {
      publications.supersede(place, order)
    }

    if (this.#isDue) {
      return
    }

    if (outcome === 'held' || outcome === 'beaten') {
      this.#failures = 0
      publications.renewLater(this)
      this.#status.become(outcome)
    } else {
      this.#fail(await calls.errorOf(written))
    }
  }

  #fail(error: Error): void {
    if (this.#status.isStopped || this.#isDue) {
      return
    }

    if (error instanceof ValidationError) {
      this.#init.publications.renewLater(this)
      this.#status.refuse(error)
      return
    }

    this.#isDue = this.#isPeerNew
    this.#init.publications.retryLater(this, this.#failures++)
    this.#status.become('pending', error)
  }

  async #stop(goodbye: boolean, timeoutMs: number | undefined): Promise<void> {
    const until = this.#sentUntil
    const isOver = this.#status.isStopped
    this.end()

    if (goodbye && !isOver && until !== undefined) {
      // It wins against what is still on its way, which expires before it.
      await this.#init.calls.sayGoodbye(this.#write, until, timeoutMs).catch(() => {})
    }
  }
}
