import { setTimeout as passed } from 'node:timers/promises'
import type { Metrics, Stream } from '@libp2p/interface'

/** Traffic on the streams that a node opened. */
export interface TrafficCount {
  /** Writes and replies: with one operation at a time, each of them is a message. */
  readonly messages: number
  readonly bytes: number

  /** Requests in a row that had to wait for the reply to another one. */
  readonly hops: number
}

/** Milliseconds after which no more replies are awaited: two that arrive at once count as one. */
const MAX_WAIT_MS = 1000

/** Prefix of the counted protocol. Other protocols depend on the clock and on connections, not on operations. */
const COUNTED = /^\/waggle\/exchange\//

/** Counts a client's messages. A request that follows a reply counts as caused by it: such chains are the hops. */
export class Traffic {
  #count = { messages: 0, bytes: 0, hops: 0 }
  #waiting = 0
  #quiet = Promise.withResolvers<void>()

  /** The hops of requests without a reply, of each stream. */
  readonly #pending = new Set<number[]>()

  /** libp2p's interface for observing a node's streams. Its figures are not kept. */
  readonly metrics = (): Metrics => {
    const metrics = {
      trackProtocolStream: (stream: Stream) => this.#follow(stream),
      traceFunction: <F>(_name: string, traced: F) => traced,
      createTrace: () => undefined
    }
    const get = (target: object, name: string) => Reflect.get(target, name) ?? (() => SILENT)
    return new Proxy(metrics, { get }) as unknown as Metrics
  }

  /** Waits until every request has its reply; resolves with the traffic since the last call. */
  async take(): Promise<TrafficCount> {
    if (this.#waiting > 0) {
      await Promise.race([this.#quiet.promise, passed(MAX_WAIT_MS, undefined, { ref: false })])
    }

    for (const pending of this.#pending) {
      this.#settle(pending.splice(0).length)
    }

    const count = this.#count
    this.#count = { messages: 0, bytes: 0, hops: 0 }
    return count
  }

  #follow(stream: Stream): void {
    if (stream.direction !== 'outbound' || !COUNTED.test(stream.protocol)) {
      return
    }

    const pending: number[] = []
    this.#pending.add(pending)
    const send = stream.send.bind(stream)

    stream.send = (data) => {
      // It throws if the stream has ended: no reply will come.
      const hasRoom = send(data)
      pending.push(this.#count.hops + 1)
      this.#waiting++
      this.#add(data)
      return hasRoom
    }
    stream.addEventListener('message', ({ data }) => {
      const hop = pending.shift()

      // The second part of a reply does not count.
      if (hop !== undefined) {
        this.#add(data)
        this.#count.hops = Math.max(this.#count.hops, hop)
        this.#settle(1)
      }
    })
    stream.addEventListener('close', () => {
      this.#pending.delete(pending)
      this.#settle(pending.splice(0).length)
    })
  }

  #add({ byteLength }: { byteLength: number }): void {
    this.#count.messages++
    this.#count.bytes += byteLength
  }

  #settle(requests: number): void {
    this.#waiting -= requests

    if (this.#waiting === 0) {
      this.#quiet.resolve()
      this.#quiet = Promise.withResolvers()
    }
  }
}

const SILENT = {
  update(): void {},
  increment(): void {},
  decrement(): void {},
  observe(): void {},
  reset(): void {},
  timer: () => () => {}
}
