import type { PeerId } from '@libp2p/interface'
import type { MaybePromise } from '@waggle/record'
import { isPromise } from '@waggle/record/replica'
import type { OpenRequests } from '../admission/open-requests.ts'
import { BUSY_PAUSE_MS, type Scheduler } from '../admission/scheduler.ts'
import { toError } from '../errors.ts'
import type { FramedStream } from './framed-stream.ts'
import { MAX_WAIT_MS } from './limits.ts'
import type { Served } from './served.ts'

/** The response to a request. */
export interface Response<M> {
  /** Number of keys in the request. */
  readonly keys: number

  /** Computes the reply, key by key. The last step may be asynchronous, without delaying others. */
  readonly reply: Generator<undefined, MaybePromise<M>>

  /** Approximate bytes of the request in memory meanwhile. */
  readonly bytes?: number

  /** Message that the node is overloaded. Without it, the request waits. */
  readonly busy?: M

  /** Returns a promise that this reply, and all after it, must wait for, if there is one. */
  whenDurable?(): Promise<void> | undefined

  /** Returns the reply if that promise rejects. */
  readonly notDurable?: (reply: M) => M
}

/** Parts that all streams of a node share. */
export interface ResponderParts {
  readonly scheduler: Scheduler

  readonly requests: OpenRequests

  /** Counts refusals; undefined: no counts. */
  readonly served?: Served | undefined
}

export interface ResponderInit<M> extends ResponderParts {
  readonly stream: FramedStream<M>
  readonly peer: PeerId
}

/**
 * Answers the requests on one stream in order, in the peer's turns and within its rate. Reads the next request when
 * the earlier ones have been answered, or few enough replies wait for the disk.
 */
export class Responder<M> {
  readonly #init: ResponderInit<M>
  readonly #peer: string

  /** The last waiting reply. */
  #last: Promise<void> | undefined

  constructor(init: ResponderInit<M>) {
    this.#init = init
    this.#peer = init.peer.toString()
  }

  /** Answers a request, delays it, or replies that the node is overloaded. */
  respond(response: Response<M>): void {
    const { stream, scheduler, requests } = this.#init

    if (!requests.isFull(this.#peer) && scheduler.admission.admits(this.#peer, response.keys)) {
      this.#schedule(response)
      return
    }

    const resume = stream.pause()
    this.#init.served?.countRefusal('busy')

    if (response.busy !== undefined) {
      stream.send(response.busy)
    }

    const onPaused = (): void => {
      if (response.busy === undefined && stream.isOpen) {
        this.respond(response)
      }

      resume()
    }
    setTimeout(onPaused, BUSY_PAUSE_MS).unref?.()
  }

  #schedule(response: Response<M>): void {
    const { stream, scheduler, requests, served } = this.#init
    const { reply, busy } = response
    const sinceMs = performance.now()
    let isBegun = false
    let isDone = false
    let resume: (() => void) | undefined

    const finish = (result: MaybePromise<M> | undefined): true => {
      isDone = true
      this.#finish(result, response)
      resume?.()
      return true
    }
    const step = (): boolean => {
      if (!stream.isOpen) {
        return finish(undefined)
      }

      if (!isBegun && busy !== undefined && performance.now() - sinceMs > MAX_WAIT_MS) {
        served?.countRefusal('busy')
        return finish(busy)
      }

      isBegun = true
      const { done, value } = reply.next()
      return done === true && finish(value)
    }
    requests.begin(this.#peer)
    scheduler.work.add(this.#peer, {
      step: () => {
        try {
          return step()
        } catch (error) {
          stream.close(toError(error))
          return finish(undefined)
        }
      }
    })

    if (!isDone) {
      resume = stream.pause()
    }
  }

  /** Sends a reply. Undefined: the peer no longer waits for it. */
  #finish(reply: MaybePromise<M> | undefined, response: Response<M>): void {
    const { stream, requests } = this.#init

    if (isPromise(reply)) {
      const onChecked = (late?: M): void => this.#finish(late, response)
      const checked = Promise.resolve(reply).then(onChecked, () => onChecked())
      stream.trackReply(checked, response.bytes)
    } else if (reply === undefined || !stream.isOpen) {
      requests.end(this.#peer)
    } else {
      this.#send(reply, response)
    }
  }

  #send(reply: M, response: Response<M>): void {
    const { stream, requests } = this.#init
    const isBusy = reply === response.busy
    const durable = isBusy ? undefined : response.whenDurable?.()

    if (isBusy || (durable === undefined && this.#last === undefined)) {
      this.#say(reply)
      requests.end(this.#peer)
      return
    }

    const sent = this.#sendWhen(durable, reply, response).then(() => {
      requests.end(this.#peer)

      if (this.#last === sent) {
        this.#last = undefined
      }
    })
    this.#last = sent
    stream.trackReply(sent)
  }

  async #sendWhen(
    durable: Promise<void> | undefined,
    reply: M,
    { notDurable }: Response<M>
  ): Promise<void> {
    const previous = this.#last
    const isDurable = (durable ?? Promise.resolve()).then(
      () => true,
      () => false
    )
    const sent = (await isDurable) ? reply : (notDurable?.(reply) ?? reply)
    await previous
    this.#say(sent)
  }

  /** Sends a reply. One that exceeds the maximum message size ends the stream. */
  #say(reply: M): void {
    const { stream } = this.#init

    try {
      stream.send(reply)
    } catch (error) {
      stream.close(toError(error))
    }
  }
}
