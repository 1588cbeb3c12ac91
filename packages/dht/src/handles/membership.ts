import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type Key, type MaybePromise, ownerTag, ValidationError, type Value } from '@waggle/record'
import type { BaseOperations } from '../operations/base-operations.ts'
import { Alarm } from '../timing/alarm.ts'
import { assertFit } from './fit.ts'

/** This node's own entry among the members of a presence. */
export interface Membership<I> extends AsyncDisposable {
  /** What this node says of itself. */
  readonly value: I

  /** Resolves once a replica has the present value; rejects if none took it so far. It is tried again meanwhile. */
  held(): Promise<void>

  /** Says something else. Resolves as `held` does. @throws ValidationError for what does not fit the schema */
  update(value: I): Promise<void>

  /** Says goodbye: the entry is deleted at once. May be called again. */
  stop(): Promise<void>
}

export interface MembershipInit<I> {
  readonly base: BaseOperations
  readonly key: Key
  readonly schema: StandardSchemaV1<I, unknown>

  /** Seconds. */
  readonly ttl: number
}

/** Milliseconds after which a store that failed is tried again at first, and at most: longer each time. */
const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 30_000

/** A membership that is stored until a replica has it, and republished until it ends. */
export class StoredMembership<I> implements Membership<I> {
  readonly #init: MembershipInit<I>
  readonly #subkey: string
  #value: I
  #held: Promise<void>
  #stopped: Promise<void> | undefined
  #retryMs = FIRST_RETRY_MS
  readonly #retry = new Alarm(() => {
    this.#held = this.#store(undefined)
  })

  constructor(init: MembershipInit<I>, value: I) {
    const checked = assertFit(init.schema, value, 'value')
    this.#init = init
    this.#subkey = ownerTag(init.base.peerId)
    this.#value = value
    this.#held = this.#store(checked)
  }

  get value(): I {
    return this.#value
  }

  async held(): Promise<void> {
    await this.#held
  }

  async update(value: I): Promise<void> {
    await assertFit(this.#init.schema, value, 'value')

    if (this.#stopped !== undefined) {
      throw new Error('the membership has ended: join again')
    }

    this.#value = value
    this.#held = this.#store(this.#held.catch(() => {}))
    await this.#held
  }

  async stop(): Promise<void> {
    this.#stopped ??= this.#sayGoodbye()
    await this.#stopped
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #store(after: MaybePromise<void>): Promise<void> {
    const held = this.#storeAfter(after)
    held.then(
      () => {
        this.#retryMs = FIRST_RETRY_MS
      },
      (error: unknown) => this.#onFailure(error)
    )
    return held
  }

  /** A client may be offline, and its peers may come back. What does not fit, or ends with the DHT, is not tried again. */
  #onFailure(error: unknown): void {
    const isOver = error instanceof ValidationError || Object(error).name === 'AbortError'

    if (!isOver && this.#stopped === undefined) {
      this.#retry.within(this.#retryMs)
      this.#retryMs = Math.min(2 * this.#retryMs, MAX_RETRY_MS)
    }
  }

  async #storeAfter(after: MaybePromise<void>): Promise<void> {
    await after
    const { base, key, ttl } = this.#init
    const value = this.#value as Value
    const isHeld = await base.store(key, value, { subkey: this.#subkey, ttl, republish: true })

    if (!isHeld) {
      throw new Error('no replica took the entry')
    }
  }

  async #sayGoodbye(): Promise<void> {
    const { base, key, ttl } = this.#init
    const subkey = this.#subkey
    this.#retry.stop()
    await this.#held.catch(() => {})
    base.stopRepublishing(key, { subkey })
    // Times rise from write to write: it beats what was stored before, and is beaten by what is stored after.
    await base.delete(key, { subkey, ttl })
  }
}
