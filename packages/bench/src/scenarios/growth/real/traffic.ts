import type { Stream } from '@libp2p/interface'

/** What went over the streams that a node opened. */
export interface TrafficCount {
  /** Writes and what came back: while one operation runs at a time, each of them is a message. */
  readonly messages: number
  readonly bytes: number

  /** How many questions had to wait for the answer to another one, one after the other. */
  readonly hops: number
}

/** Other protocols go by the clock and by the connection, not by the operation. */
const COUNTED = /^\/waggle\/exchange\//

/**
 * Counts the messages of a node that asks. Where a question is asked after an answer, it counts as
 * asked because of it: so many of them in a row are the hops.
 */
export class Traffic {
  #messages = 0
  #bytes = 0
  #hops = 0
  #waiting = 0
  #quiet = Promise.withResolvers<void>()

  /** Follows a stream from its beginning, if it is one that operations use. */
  follow(stream: Stream): void {
    if (stream.direction === 'outbound' && COUNTED.test(stream.protocol)) {
      new Following(stream, {
        onQuestion: (bytes) => this.#onQuestion(bytes),
        onAnswer: (bytes, hop) => this.#onAnswer(bytes, hop),
        onLost: (questions) => this.#settle(questions)
      })
    }
  }

  /** What went since the last time, when everything that was asked has been answered. */
  async take(): Promise<TrafficCount> {
    while (this.#waiting > 0) {
      await this.#quiet.promise
    }

    const count = { messages: this.#messages, bytes: this.#bytes, hops: this.#hops }
    this.#messages = 0
    this.#bytes = 0
    this.#hops = 0
    return count
  }

  /** Says in which hop the question is asked. */
  #onQuestion(bytes: number): number {
    this.#messages++
    this.#bytes += bytes
    this.#waiting++
    return this.#hops + 1
  }

  #onAnswer(bytes: number, hop: number): void {
    this.#messages++
    this.#bytes += bytes
    this.#hops = Math.max(this.#hops, hop)
    this.#settle(1)
  }

  #settle(questions: number): void {
    this.#waiting -= questions

    if (this.#waiting === 0) {
      this.#quiet.resolve()
      this.#quiet = Promise.withResolvers()
    }
  }
}

interface FollowingInit {
  /** Answers in which hop it was asked. */
  onQuestion(bytes: number): number
  onAnswer(bytes: number, hop: number): void

  /** So many questions will not be answered. */
  onLost(questions: number): void
}

class Following {
  readonly #hops: number[] = []

  constructor(stream: Stream, { onQuestion, onAnswer, onLost }: FollowingInit) {
    const send = stream.send.bind(stream)

    stream.send = (data) => {
      this.#hops.push(onQuestion(data.byteLength))
      return send(data)
    }
    stream.addEventListener('message', ({ data }) => {
      const hop = this.#hops.shift()

      // One that comes in two parts has been counted.
      if (hop !== undefined) {
        onAnswer(data.byteLength, hop)
      }
    })
    stream.addEventListener('close', () => onLost(this.#hops.splice(0).length))
  }
}
