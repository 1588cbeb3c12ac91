import type { Socket } from 'node:net'
import type { Stream } from '@libp2p/interface'
import { FrameReader, frame } from './frames.ts'

/** Sends bytes, and hears of those that arrive: a libp2p stream, or a TCP socket. */
export interface Wire {
  send(bytes: Uint8Array): void
  onBytes(listener: (bytes: Uint8Array) => void): void

  /** Says when no more can come. */
  onClose(listener: () => void): void
}

/** A libp2p stream as a wire. */
export function streamWire(stream: Stream): Wire {
  return {
    send: (bytes) => {
      stream.send(bytes)
    },
    onBytes: (listener) =>
      stream.addEventListener('message', ({ data }) => listener(data.subarray())),
    onClose: (listener) => stream.addEventListener('close', listener)
  }
}

/** A TCP socket as a wire. */
export function socketWire(socket: Socket): Wire {
  return {
    send: (bytes) => {
      socket.write(bytes)
    },
    onBytes: (listener) => socket.on('data', listener),
    onClose: (listener) => socket.on('close', listener)
  }
}

/** Puts all that is sent in one microtask into one write. */
export function coalesced(wire: Wire): Wire {
  let queue: Uint8Array[] = []

  const flush = (): void => {
    const bytes = Buffer.concat(queue)
    queue = []
    wire.send(bytes)
  }

  return {
    send: (bytes) => {
      if (queue.push(bytes) === 1) {
        queueMicrotask(flush)
      }
    },
    onBytes: (listener) => wire.onBytes(listener),
    onClose: (listener) => wire.onClose(listener)
  }
}

/** Asks over a wire. Answers come in the order of the questions. */
export class Requester {
  readonly #wire: Wire
  readonly #waiting: PromiseWithResolvers<void>[] = []

  constructor(wire: Wire) {
    this.#wire = wire
    const reader = new FrameReader(() => this.#waiting.shift()?.resolve())
    wire.onBytes((bytes) => reader.push(bytes))
    wire.onClose(() =>
      this.#waiting.splice(0).forEach(({ reject }) => {
        reject(new Error('the stream was closed'))
      })
    )
  }

  /** Resolves when the answer is there. */
  async request(message: Uint8Array): Promise<void> {
    const answer = Promise.withResolvers<void>()
    this.#waiting.push(answer)
    this.#wire.send(frame(message))
    await answer.promise
  }
}

/** Sends each message back. */
export function echo(wire: Wire): void {
  const reader = new FrameReader((message) => wire.send(frame(message)))
  wire.onBytes((bytes) => reader.push(bytes))
}
