import type { Stream } from '@libp2p/interface'
import { EXCHANGE, type Message } from '../../src/exchange/messages.ts'
import { ByteWriter } from '../../src/wire/bytes.ts'
import { FrameReader, writeAck } from '../../src/wire/frames.ts'
import { MAX_PLAUSIBLE_MESSAGE_BYTES } from '../../src/wire/limits.ts'
import type { MessageCodec } from '../../src/wire/schema.ts'
import { Mailbox } from './exchange-mailbox.ts'

/** Encodes a message. */
export function encoded(message: Message): Uint8Array {
  const writer = new ByteWriter()
  EXCHANGE.write(writer, message)
  return writer.take()
}

/** Makes a frame of any bytes. */
export function frameOf(content: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(4 + content.length)
  frame.writeUInt32BE(content.length)
  frame.set(content, 4)
  return new Uint8Array(frame)
}

/** Makes the head of a frame whose content need not follow. */
export function headOf(length: number): Uint8Array {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(length)
  return new Uint8Array(head)
}

interface Named {
  readonly name: string
}

/** Makes a frame of a message. */
function framed<M>(message: M, codec: MessageCodec<M>): Uint8Array {
  const writer = new ByteWriter()
  codec.write(writer, message)
  return frameOf(writer.take())
}

/** One end of a stream, from which a test sends any messages of a protocol. */
export class Talker<M extends Named = Message> {
  readonly stream: Stream

  /** The sizes of all received messages. */
  readonly sizes: number[] = []

  /** Resolves when the stream has ended, with the reason if there is one. */
  readonly ended: Promise<Error | undefined>
  readonly #heard = new Mailbox<M>()
  readonly #codec: MessageCodec<M>
  readonly #isHandled: (message: M) => boolean
  readonly #reader = new FrameReader({
    maxMessageBytes: MAX_PLAUSIBLE_MESSAGE_BYTES,
    onAck: (bytes) => this.acks.push(bytes)
  })

  /** Bytes of the parts that each acknowledgement was for. */
  readonly acks: number[] = []

  /** Whether parts are acknowledged at once. */
  isAcknowledging = true

  /** Uses the codec of the exchange by default. Handled messages are not queued. */
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

  /** Received messages that the test has not taken yet. */
  get unheard(): number {
    return this.#heard.size
  }

  say(...messages: M[]): void {
    this.sayBytes(Buffer.concat(messages.map((message) => framed(message, this.#codec))))
  }

  sayBytes(bytes: Uint8Array): void {
    this.stream.send(bytes)
  }

  /** Waits for the next message, which must have this name. Rejects when the stream ends first. */
  async hear<N extends M['name']>(name: N): Promise<Extract<M, { name: N }>> {
    const message = await Promise.race([this.#heard.next(), this.#end()])

    if (message.name !== name) {
      throw new Error(`heard "${message.name}", not "${name}"`)
    }

    return message as Extract<M, { name: N }>
  }

  /** Waits for the next message of any name. */
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

  /** Acknowledges all parts received so far, and later ones at once. */
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
