import type { Socket } from 'node:net'
import { type AbortOptions, TimeoutError } from '@libp2p/interface'
import {
  AbstractMultiaddrConnection,
  type AbstractMultiaddrConnectionInit,
  type SendResult
} from '@libp2p/utils'
import { raceSignal } from 'race-signal'

/** Milliseconds without a byte, in either direction, after which a connection ends. */
const INACTIVITY_MS = 120_000

export interface SocketConnectionInit extends AbstractMultiaddrConnectionInit {
  readonly socket: Socket
}

/** A connection of bytes over a socket of Node, with TLS or without. */
export class SocketConnection extends AbstractMultiaddrConnection {
  readonly #socket: Socket

  constructor(init: SocketConnectionInit) {
    super(init)
    const { socket } = init
    this.#socket = socket
    socket.on('data', (bytes) => this.onData(bytes))
    socket.on('drain', () => this.safeDispatchEvent('drain'))
    socket.on('error', (error) => this.abort(error))
    socket.setTimeout(INACTIVITY_MS, () =>
      this.abort(new TimeoutError(`the socket was idle for ${INACTIVITY_MS} ms`))
    )
    socket.once('end', () => this.onTransportClosed())
    socket.once('close', () => this.onTransportClosed())
  }

  sendData(data: Parameters<AbstractMultiaddrConnection['sendData']>[0]): SendResult {
    return { sentBytes: data.byteLength, canSendMore: this.#socket.write(data.subarray()) }
  }

  sendReset(): void {
    this.#socket.destroy()
  }

  async sendClose({ signal }: AbortOptions = {}): Promise<void> {
    if (this.#socket.destroyed) {
      return
    }

    const { promise, resolve } = Promise.withResolvers<void>()
    this.#socket.once('close', () => resolve())
    this.#socket.destroySoon()
    await raceSignal(promise, signal)
  }

  sendPause(): void {
    this.#socket.pause()
  }

  sendResume(): void {
    this.#socket.resume()
  }
}
