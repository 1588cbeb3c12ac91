import { AbortError } from '@libp2p/interface'
import type { MaybePromise } from '@waggle/record'
import { isPromise } from '@waggle/record/replica'
import { DEFAULT_CALL_TIMEOUT_MS } from '../constants.ts'
import { BusyError, TimeoutError } from '../errors.ts'
import { DEFAULT_NODE_LIMITS } from '../node-limits.ts'
import { assertThat } from '../option-checks.ts'
import type { CancellationToken } from './cancellation.ts'
import { MAX_TIMER_MS } from './deadline.ts'

/** Is notified of the end of each call. */
export interface CallObserver {
  onEnd(call: string, tookMs: number, result: unknown): void

  /** `isAborted`: ended by its caller or with the node, for any reason. */
  onFailure(call: string, tookMs: number, failure: CallFailure): void
}

export interface CallFailure {
  readonly reason: unknown
  readonly isAborted: boolean
}

export interface CallsOptions {
  readonly observer?: CallObserver | undefined

  /** @default DEFAULTS.limits.maxCalls */
  readonly maxCalls?: number | undefined
}

/** The calls in flight. Each one ends when it is aborted, when it times out, or with the node. */
export class Calls {
  readonly #lifetime: AbortSignal
  readonly #open = new Set<Call>()
  readonly #observer: CallObserver | undefined
  readonly #maxCalls: number

  constructor(
    lifetime: AbortSignal,
    { observer, maxCalls = DEFAULT_NODE_LIMITS.maxCalls }: CallsOptions = {}
  ) {
    this.#lifetime = lifetime
    this.#observer = observer
    this.#maxCalls = maxCalls
    lifetime.addEventListener('abort', () => {
      for (const call of this.#open) {
        call.abort(unfinishedError(call.name, lifetime.reason))
      }
    })
  }

  /**
   * Runs one call, which checks `isCancelled` to decide whether to continue. On a timeout or an abort it rejects at
   * once with the reason, even with requests in flight.
   */
  run<T>(
    name: string,
    {
      signal,
      timeoutMs = DEFAULT_CALL_TIMEOUT_MS,
      isBulk = false,
      resultsSoFar
    }: CallOptions & Bulk,
    start: (cancellation: CancellationToken) => MaybePromise<T>
  ): Promise<T> {
    assertTimeout(timeoutMs, 'timeoutMs')
    this.#lifetime.throwIfAborted()
    signal?.throwIfAborted()

    if (this.#open.size >= this.#maxCalls) {
      throw new BusyError(`${this.#maxCalls} calls are in flight already (limits.maxCalls)`)
    }

    return new Promise((resolve, reject) => {
      const call = new Call({
        name,
        timeoutMs,
        signal,
        isBulk,
        resultsSoFar,
        reject,
        observer: this.#observer,
        open: this.#open
      })
      const succeed = (result: T): void => {
        call.succeed(result)
        resolve(result)
      }

      try {
        const result = start(call)
        isPromise(result) ? result.then(succeed, (error) => call.fail(error)) : succeed(result)
      } catch (error) {
        call.fail(error)
      }
    })
  }
}

/** Names the call that was not awaited. The stack shows where it was ended. */
function unfinishedError(name: string, reason: unknown): unknown {
  return reason instanceof AbortError
    ? new AbortError(`${reason.message} while ${name} was in flight: await each call before stop()`)
    : reason
}

interface Bulk {
  /** Whether the call's requests are bulk, which others may pass. @default false */
  readonly isBulk?: boolean

  /** Returns the results available at a timeout. */
  readonly resultsSoFar?: ((reason: Error) => readonly PromiseSettledResult<unknown>[]) | undefined
}

interface CallInit extends Bulk {
  readonly name: string
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  readonly reject: (reason: unknown) => void
  readonly observer: CallObserver | undefined

  /** The calls in flight. */
  readonly open: Set<Call>
}

class Call implements CancellationToken {
  readonly #init: CallInit
  readonly #timer: ReturnType<typeof setTimeout>
  readonly #onAbort = (): void => this.abort(this.#init.signal?.reason)
  readonly #startMs: number
  isCancelled = false

  constructor(init: CallInit) {
    const { timeoutMs, signal, observer } = init
    this.#init = init
    this.#startMs = observer === undefined ? 0 : performance.now()
    this.#timer = setTimeout(() => this.#timeOut(), Math.min(timeoutMs, MAX_TIMER_MS))
    signal?.addEventListener('abort', this.#onAbort)
    init.open.add(this)
  }

  get isBulk(): boolean {
    return this.#init.isBulk === true
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
      observer?.onEnd(name, performance.now() - this.#startMs, result)
    }

    this.#settle()
  }

  #timeOut(): void {
    const { name, timeoutMs, resultsSoFar } = this.#init
    const error = new TimeoutError(`${name} took longer than ${timeoutMs} ms`)
    error.results = resultsSoFar?.(error)
    this.fail(error)
  }

  #end(failure: CallFailure): void {
    const { name, observer, reject } = this.#init

    if (!this.isCancelled) {
      observer?.onFailure(name, performance.now() - this.#startMs, failure)
    }

    this.#settle()
    reject(failure.reason)
  }

  #settle(): void {
    this.isCancelled = true
    clearTimeout(this.#timer)
    this.#init.signal?.removeEventListener('abort', this.#onAbort)
    this.#init.open.delete(this)
  }
}

/** Checks that the option is a time limit, which may be infinite. */
export function assertTimeout(value: unknown, option: string): void {
  const isSo = typeof value === 'number' && value > 0
  assertThat(isSo, option, 'a positive number of milliseconds', value)
}

/** Options of every call. */
export interface CallOptions {
  /** Ends the call, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined

  /**
   * Milliseconds after which the call rejects with `TimeoutError`.
   *
   * @default DEFAULTS.timeoutMs
   */
  timeoutMs?: number | undefined
}
