import type { RecordStore } from '../store/record-store.ts'
import type { FramedStream } from '../wire/framed-stream.ts'
import type { FoundReply, Message, StoredReply } from './messages.ts'

type Reply = FoundReply | StoredReply

/**
 * The replies on one stream, in the order of their requests. The reply to a STORE waits until the
 * writes are as durable as the node is configured to make them, and all replies behind it wait, too.
 */
export class OrderedReplies {
  readonly #stream: FramedStream<Message>
  readonly #store: RecordStore

  /** The last one that waits. */
  #last: Promise<void> | undefined

  constructor(stream: FramedStream<Message>, store: RecordStore) {
    this.#stream = stream
    this.#store = store
  }

  /** Sends a reply, now or later, and tells when. */
  send(reply: Reply, onSent: () => void): void {
    const durable = reply.name === 'stored' ? this.#store.whenDurable() : undefined

    if (durable === undefined && this.#last === undefined) {
      this.#stream.send(reply)
      onSent()
    } else {
      this.#sendLater(reply, durable).then(onSent, onSent)
    }
  }

  #sendLater(reply: Reply, durable: Promise<void> | undefined): Promise<void> {
    const sent = this.#sendWhen(reply, durable, this.#last).then(() => {
      if (this.#last === sent) {
        this.#last = undefined
      }
    })
    this.#last = sent
    this.#stream.trackReply(sent)
    return sent
  }

  async #sendWhen(
    reply: Reply,
    durable: Promise<void> | undefined,
    previous: Promise<void> | undefined
  ): Promise<void> {
    try {
      await durable
      await previous
      this.#stream.send(reply)
    } catch {
      await previous
      this.#stream.send(reply.name === 'stored' ? refused(reply) : reply)
    }
  }
}

/** A write that cannot be made durable is held in memory, but not acknowledged: there is no room on the disk. */
function refused(reply: StoredReply): StoredReply {
  return {
    ...reply,
    answers: reply.answers.map((answer) =>
      answer.outcome === 'accepted' ? { ...answer, outcome: 'full' } : answer
    )
  }
}
