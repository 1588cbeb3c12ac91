import type { MaybePromise } from '@waggle/record'
import type { Job } from '../admission/fair-queue.ts'
import { MAX_WAIT_MS } from '../wire/limits.ts'
import type { BusyReply, FoundReply, StoredReply } from './messages.ts'

export type Reply = FoundReply | StoredReply | BusyReply

export interface ResponseJobInit {
  /** Works out the reply, key by key. */
  readonly reply: Generator<undefined, FoundReply | MaybePromise<StoredReply>>

  /** The request's. */
  readonly id: number

  /** Whether anybody still waits for the reply. */
  readonly isWanted: () => boolean

  /** Undefined: nobody does. */
  readonly onDone: (reply: MaybePromise<Reply> | undefined) => void
}

/** A request that is being answered. One that waits too long before anything was done is answered with BUSY. */
export class ResponseJob implements Job {
  readonly #init: ResponseJobInit
  readonly #sinceMs = performance.now()
  #isBegun = false
  isDone = false

  /** Called when the reply is on its way. */
  onLeave: () => void = () => {}

  constructor(init: ResponseJobInit) {
    this.#init = init
  }

  step(): boolean {
    const { id, isWanted, reply } = this.#init

    if (!isWanted()) {
      return this.#finish(undefined)
    }

    if (!this.#isBegun && performance.now() - this.#sinceMs > MAX_WAIT_MS) {
      return this.#finish({ name: 'busy', id })
    }

    this.#isBegun = true
    const { done, value } = reply.next()
    return done === true && this.#finish(value)
  }

  #finish(reply: MaybePromise<Reply> | undefined): true {
    this.isDone = true
    this.#init.onDone(reply)
    this.onLeave()
    return true
  }
}
