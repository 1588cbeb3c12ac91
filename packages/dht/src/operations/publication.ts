import type { Key, SigningKey, Storable, Subkey } from '@waggle/record'
import type { CallOptions } from '../timing/calls.ts'

/**
 * `pending`: no replica has the value yet, or by now. `held`: one has. `beaten`: something that wins is there, so
 * that it is tried again at the next renewal. `stopped`: it is no longer kept alive.
 */
export type PublicationState = 'pending' | 'held' | 'beaten' | 'stopped'

/**
 * A value that this node keeps alive: stored again before it expires, and tried again until it is held, with
 * growing pauses and whenever a peer connects. It ends with `stop`, with the DHT, or when a `store`, `delete` or
 * another publication of this node in the same place is held.
 */
export interface Publication<V = unknown> extends AsyncDisposable {
  readonly key: Key
  readonly subkey: Subkey | undefined
  readonly value: V
  readonly state: PublicationState

  /** Why it is pending, if an attempt has failed: what `store` would have rejected with. */
  readonly error: Error | undefined

  /**
   * Resolves once a replica has the present value.
   *
   * @throws ValidationError when a validator of this node refuses the value, which is tried again at its next renewal
   * @throws AbortError when the publication ends before that
   * @throws TimeoutError when that takes longer; the value stays published
   */
  held(options?: CallOptions): Promise<void>

  /**
   * Publishes another value in the same place. Resolves as `held` does. Of several at once only the last is sent.
   * Callers may ignore the promise: a rejection that nobody handles does no harm.
   *
   * @throws TimeoutError when no replica has the value in time; the value stays published
   * @throws AbortError when the publication has ended, and what `publish` and `held` throw for a value
   */
  update<W extends V>(value: W & Storable<W>): Promise<void>

  /** Calls a listener with each new state, and returns a function that ends this. */
  subscribe(listener: (state: PublicationState) => void): () => void

  /**
   * Lets the value expire, or deletes it at once with `goodbye`. May be called again, and rejects for wrong options only.
   */
  stop(options?: StopOptions): Promise<void>
}

/** The options of `stop`. */
export interface StopOptions {
  /**
   * Whether the value is deleted, so that others need not wait for it to expire.
   *
   * @default the publication's `goodbye`
   */
  readonly goodbye?: boolean | undefined

  /** Milliseconds that the deletion may take. */
  readonly timeoutMs?: number | undefined
}

/** Options of `publish`. */
export interface PublishOptions {
  /** Seconds that the value outlives this process. It is stored again when half of them have passed. */
  readonly ttl: number

  /** Subkey of the dictionary under the key. */
  readonly subkey?: Subkey | undefined

  /**
   * Whether the value is deleted when the publication is stopped or disposed of, or the DHT stops.
   *
   * @default false
   */
  readonly goodbye?: boolean | undefined

  /** Private key of the owner, where key or subkey holds the `ownerTag` of another peer than this node. */
  readonly privateKey?: SigningKey | undefined

  /** Stops the publication. */
  readonly signal?: AbortSignal | undefined
}
