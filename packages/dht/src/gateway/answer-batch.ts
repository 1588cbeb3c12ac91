import type { PeerId } from '@libp2p/interface'
import type { CancellationToken } from '../timing/cancellation.ts'
import type { FramedStream } from '../wire/framed-stream.ts'
import { TARGET_MESSAGE_BYTES } from '../wire/limits.ts'
import type { GatewayMessage } from './gateway-messages.ts'

/** A client on one of its streams. Its lookups end with the stream. */
export interface Client extends CancellationToken {
  readonly id: PeerId
  readonly name: string
  readonly stream: Pick<FramedStream<GatewayMessage>, 'countHeldBytes'>
  isCancelled: boolean
}

/** The answers to one request, and their bytes, which count towards the client's buffers (N9d). */
export class AnswerBatch<A> {
  readonly client: Client
  readonly busy: A
  readonly #sizeOf: (answer: A) => number
  readonly #answers: Promise<A | undefined>[] = []
  #sizeBytes = 0

  constructor(client: Client, busy: A, sizeOf: (answer: A) => number) {
    this.client = client
    this.busy = busy
    this.#sizeOf = sizeOf
  }

  /** Whether one message can't hold more answers. */
  get isFull(): boolean {
    return this.#sizeBytes > TARGET_MESSAGE_BYTES
  }

  /** Counts the bytes of an answer, and returns it. */
  count(answer: A): A {
    const bytes = this.#sizeOf(answer)
    this.#sizeBytes += bytes
    this.client.stream.countHeldBytes(bytes)
    return answer
  }

  add(answer: Promise<A | undefined>): void {
    this.#answers.push(answer)
    // Nobody awaits the answers of a stream that ends before all have begun.
    answer.catch(() => {})
  }

  /** Resolves with the answers before the first key that was left out. */
  async answers(): Promise<A[]> {
    try {
      const all = await Promise.all(this.#answers)
      const end = all.indexOf(undefined)
      return all.slice(0, end < 0 ? all.length : end) as A[]
    } finally {
      this.client.stream.countHeldBytes(-this.#sizeBytes)
    }
  }
}
