import { AbortError } from '@libp2p/interface'
import { DEFAULT_CALL_TIMEOUT_MS } from '../constants.ts'
import { BusyError, TimeoutError } from '../errors.ts'
import { DEFAULT_MAX_CALLS } from '../node-limits.ts'
import type { CancellationToken } from './cancellation.ts'
import { MAX_TIMER_MS } from './deadline.ts'

/** Hears how each call ends. */
export interface CallObserver {
  ended(call: string, tookMs: number, result: unknown): void

  /** `isAborted`: by its caller or by the end of the node, whose reasons can be anything. */
  failed(call: string, tookMs: number, failure: CallFailure): void
}

export interface CallFailure {
  readonly reason: unknown
  readonly isAborted: boolean
}

export interface CallsOptions {
  readonly observer?: CallObserver | undefined

  /** @default DEFAULT_MAX_CALLS */
  readonly maxCalls?: number | undefined
}

/** The calls that are under way. Each ends when its caller, its time or the node ends it. */
export class Calls {
  readonly #lifetime: AbortSignal
  readonly #open = new Set<Call>()
  readonly #observer: CallObserver | undefined
  readonly #maxCalls: number

  constructor(
    lifetime: AbortSignal,
    { observer, maxCalls = DEFAULT_MAX_CALLS }: CallsOptions = {}
  ) {
    this.#lifetime = lifetime
    this.#observer = observer
    this.#maxCalls = maxCalls
    lifetime.addEventListener('abort', () => {
      for (const call of this.#open) {
        call.abort(unfinished(call.name, lifetime.reason))
      }
    })
  }

  /**
   * Runs one call, and tells it by `isCancelled` whether to go on. When it has taken too long or is
   * aborted, it rejects at once with the reason, whatever is still under way.
   */
  run<T>(
    name: string,
    { signal, timeoutMs = DEFAULT_CALL_TIMEOUT_MS }: CallOptions,
    start: (cancellation: CancellationToken) => Promise<T>
  ): Promise<T> {
    if (typeof timeoutMs !== 'number' || !(timeoutMs > 0)) {
      throw new TypeError(`timeoutMs must be a positive number of milliseconds, got ${timeoutMs}`)
    }

    this.#lifetime.throwIfAborted()
    signal?.throwIfAborted()

    if (this.#open.size >= this.#maxCalls) {
      throw new BusyError(`${this.#maxCalls} calls are under way already (limits.maxCalls)`)
    }

    return new Promise((resolve, reject) => {
      const call = new Call({
        name,
        timeoutMs,
        signal,
        reject,
        observer: this.#observer,
        onEnd: () => this.#open.delete(call)
      })
      this.#open.add(call)
      start(call).then(
        (result) => {
          call.succeed(result)
          resolve(result)
        },
        (error: unknown) => call.fail(error)
      )
    })
  }
}

/** Says which call has not been waited for: the stack is that of whoever ended it. */
function unfinished(name: string, reason: unknown): unknown {
  return reason instanceof AbortError
    ? new AbortError(`${reason.message} while ${name} was under way: await each call before stop()`)
    : reason
}

interface CallInit {
  readonly name: string
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  readonly reject: (reason: unknown) => void
  readonly observer: CallObserver | undefined
  readonly onEnd: () => void
}

class Call implements CancellationToken {
  readonly #init: CallInit
  readonly #timer: ReturnType<typeof setTimeout>
  readonly #onAbort = (): void => this.abort(this.#init.signal?.reason)
  readonly #startMs: number
  isCancelled = false

  constructor(init: CallInit) {
    const { name, timeoutMs, signal, observer } = init
    this.#init = init
    this.#startMs = observer === undefined ? 0 : performance.now()
    this.#timer = setTimeout(
      () => this.fail(new TimeoutError(`${name} took longer than ${timeoutMs} ms`)),
      Math.min(timeoutMs, MAX_TIMER_MS)
    )
    signal?.addEventListener('abort', this.#onAbort)
  }

  get name(): string {
    return this.#init.name
  }

  abort(reason: unknown): void {
    this.#end({ reason, isAborted: true })
  }

  fail(reason: unknown): void {
    this.#end({ reason, isAborted: false })
  }

  succeed(result: unknown): void {
    const { name, observer } = this.#init

    if (!this.isCancelled) {
      observer?.ended(name, performance.now() - this.#startMs, result)
    }

    this.#settle()
  }

  #end(failure: CallFailure): void {
    const { name, observer, reject } = this.#init

    if (!this.isCancelled) {
      observer?.failed(name, performance.now() - this.#startMs, failure)
    }

    this.#settle()
    reject(failure.reason)
  }

  #settle(): void {
    this.isCancelled = true
    clearTimeout(this.#timer)
    this.#init.signal?.removeEventListener('abort', this.#onAbort)
    this.#init.onEnd()
  }
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined

  /**
   * Milliseconds after which the call rejects with `TimeoutError`.
   *
   * @default DEFAULT_CALL_TIMEOUT_MS
   */
  timeoutMs?: number | undefined
}
