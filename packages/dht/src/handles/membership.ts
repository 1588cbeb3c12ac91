import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type Key, type MaybePromise, ownerTag, type Value } from '@waggle/record'
import type { BaseOperations } from '../operations/base-operations.ts'
import { assertFit } from './fit.ts'

/** This node's own entry among the members of a presence. */
export interface Membership<I> extends AsyncDisposable {
  /** What this node says of itself. */
  readonly value: I

  /** Resolves once a replica has the present value; rejects if none took it. */
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

/** Tombstones live this many times the ttl, so that they outlive what they delete. */
const GOODBYE_TTLS = 2

/** A membership that is republished until it ends. */
export class StoredMembership<I> implements Membership<I> {
  readonly #init: MembershipInit<I>
  readonly #subkey: string
  #value: I
  #held: Promise<void>
  #stopped: Promise<void> | undefined

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
    // Nobody need wait for it.
    held.catch(() => {})
    return held
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
    await this.#held.catch(() => {})
    base.stopRepublishing(key, { subkey })
    await base.delete(key, { subkey, ttl: GOODBYE_TTLS * ttl })
  }
}
