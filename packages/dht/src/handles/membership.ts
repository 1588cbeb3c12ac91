import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type Key, ownerTag, type Value } from '@waggle/record'
import { whenDone } from '@waggle/record/replica'
import type { BaseOperations } from '../operations/base-operations.ts'
import type { Publication } from '../operations/publication.ts'
import type { CallOptions } from '../timing/calls.ts'
import { assertFit } from './fit.ts'

/** This node's own entry among the members of a presence. */
export interface Membership<I> extends AsyncDisposable {
  /** What this node says of itself. */
  readonly value: I

  /** Resolves once a replica has the present value. It is tried again until then. */
  held(options?: CallOptions): Promise<void>

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

/** A membership that is published until it ends. */
export class PublishedMembership<I> implements Membership<I> {
  readonly #init: MembershipInit<I>
  readonly #publication: Promise<Publication>
  #value: I
  #isStopped = false

  constructor(init: MembershipInit<I>, value: I) {
    const { base, key, schema, ttl } = init
    const options = { subkey: ownerTag(base.peerId), ttl, goodbye: true }
    const checked = assertFit(schema, value, 'value')
    this.#init = init
    this.#value = value
    this.#publication = Promise.resolve(
      whenDone(checked, () => base.publish(key, value as Value, options))
    )
    // Whoever waits hears of it.
    this.#publication.catch(() => {})
  }

  get value(): I {
    return this.#value
  }

  async held(options?: CallOptions): Promise<void> {
    const publication = await this.#publication
    await publication.held(options)
  }

  async update(value: I): Promise<void> {
    await assertFit(this.#init.schema, value, 'value')
    const publication = await this.#publication

    if (this.#isStopped) {
      throw new Error('the membership has ended: join again')
    }

    this.#value = value
    await publication.update(value as Value)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    const publication = await this.#publication.catch(() => undefined)
    await publication?.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}
