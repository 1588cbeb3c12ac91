import type { Stream } from '@libp2p/interface'
import { EXCHANGE, type Message } from '../../src/exchange/messages.ts'
import { ByteWriter } from '../../src/wire/bytes.ts'
import { FrameReader, writeAck } from '../../src/wire/frames.ts'
import { MAX_PLAUSIBLE_MESSAGE_BYTES } from '../../src/wire/limits.ts'
import type { MessageCodec } from '../../src/wire/schema.ts'
import { Mailbox } from './exchange-mailbox.ts'

/** A message's bytes. */
export function encoded(message: Message): Uint8Array {
  const writer = new ByteWriter()
  EXCHANGE.write(writer, message)
  return writer.take()
}

/** Some bytes as a frame, whatever they are. */
export function frameOf(content: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(4 + content.length)
  frame.writeUInt32BE(content.length)
  frame.set(content, 4)
  return new Uint8Array(frame)
}

/** The head of a frame that may never come. */
export function headOf(length: number): Uint8Array {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(length)
  return new Uint8Array(head)
}

interface Named {
  readonly name: string
}

/** A message of some protocol, as a frame. */
function framed<M>(message: M, codec: MessageCodec<M>): Uint8Array {
  const writer = new ByteWriter()
  codec.write(writer, message)
  return frameOf(writer.take())
}

/** One end of a stream in the hands of a test, which says what it likes, in the messages of a protocol. */
export class Talker<M extends Named = Message> {
  readonly stream: Stream

  /** The sizes of all messages that have come. */
  readonly sizes: number[] = []

  /** Why the stream ended, once it has. */
  readonly ended: Promise<Error | undefined>
  readonly #heard = new Mailbox<M>()
  readonly #codec: MessageCodec<M>
  readonly #isHandled: (message: M) => boolean
  readonly #reader = new FrameReader({
    maxMessageBytes: MAX_PLAUSIBLE_MESSAGE_BYTES,
    onAck: (bytes) => this.acks.push(bytes)
  })

  /** Bytes of the parts that each ack was for. */
  readonly acks: number[] = []

  /** Whether parts are acknowledged as they come. */
  isAcknowledging = true

  /** The exchange is spoken if no codec is given. Messages that are handled already are not heard. */
  constructor(
    stream: Stream,
    codec?: MessageCodec<M>,
    isHandled: (message: M) => boolean = () => false
  ) {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>()
    this.stream = stream
    this.#codec = codec ?? (EXCHANGE as unknown as MessageCodec<M>)
    this.#isHandled = isHandled
    this.ended = promise
    stream.maxReadBufferLength = 64 * 1024 * 1024
    stream.addEventListener('message', ({ data }) => this.#takeIn(data.subarray()))
    stream.addEventListener('close', ({ error }) => resolve(error))
  }

  /** How many messages have come that were not heard yet. */
  get unheard(): number {
    return this.#heard.size
  }

  say(...messages: M[]): void {
    this.sayBytes(Buffer.concat(messages.map((message) => framed(message, this.#codec))))
  }

  sayBytes(bytes: Uint8Array): void {
    this.stream.send(bytes)
  }

  /** Waits for the next message, which must be of this kind. Rejects when the stream ends before it comes. */
  async hear<N extends M['name']>(name: N): Promise<Extract<M, { name: N }>> {
    const message = await Promise.race([this.#heard.next(), this.#end()])

    if (message.name !== name) {
      throw new Error(`heard "${message.name}", not "${name}"`)
    }

    return message as Extract<M, { name: N }>
  }

  /** The next message, whatever it is. */
  hearAny(): Promise<M> {
    return this.#heard.next()
  }

  async #end(): Promise<never> {
    const cause = await this.ended
    throw new Error('the stream ended before the message came', { cause })
  }

  #takeIn(bytes: Uint8Array): void {
    this.#reader.push(bytes)

    for (let next = this.#reader.next(); next !== undefined; next = this.#reader.next()) {
      this.sizes.push(next.length)
      const message = this.#codec.read(Uint8Array.from(next))

      if (!this.#isHandled(message)) {
        this.#heard.push(message)
      }
    }

    if (this.isAcknowledging) {
      this.acknowledge()
    }
  }

  /** Acknowledges all parts that have come, and from now on each at once. */
  acknowledge(): void {
    this.isAcknowledging = true
    const unacked = this.#reader.takeUnacked()

    if (unacked > 0 && this.stream.writeStatus === 'writable') {
      const writer = new ByteWriter()
      writeAck(writer, unacked)
      this.sayBytes(writer.take())
    }
  }
}
