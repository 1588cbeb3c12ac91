import type { AbortOptions, MultiaddrConnection } from '@libp2p/interface'
import { AbstractMultiaddrConnection, type SendResult } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import { toError } from '../errors.ts'
import { frameOf, OPCODE, WebSocketFrameReader } from './websocket-frames.ts'

const NOTHING = new Uint8Array(0)

export interface WebSocketConnectionInit {
  /** The connection that carries the frames. */
  readonly raw: MultiaddrConnection
  readonly remoteAddr: Multiaddr
}

/**
 * A WebSocket over a connection of bytes, after the HTTP upgrade. Pausing it pauses the connection below, so unread
 * data does not accumulate here.
 */
export class WebSocketConnection extends AbstractMultiaddrConnection {
  readonly #raw: MultiaddrConnection
  readonly #isClient: boolean
  readonly #reader: WebSocketFrameReader
  #ping: Uint8Array | undefined

  constructor({ raw, remoteAddr }: WebSocketConnectionInit) {
    super({ remoteAddr, direction: raw.direction, log: raw.log.newScope('websocket') })
    this.#raw = raw
    this.#isClient = raw.direction === 'outbound'
    this.#reader = new WebSocketFrameReader(
      {
        onData: (data) => this.onData(data),
        onPing: (payload) => {
          this.#ping = payload
        },
        onClose: () => this.#onClose()
      },
      { isMasked: !this.#isClient }
    )
    raw.addEventListener('drain', () => this.safeDispatchEvent('drain'))
    raw.addEventListener('close', ({ error }) =>
      error === undefined ? this.onTransportClosed() : this.#onFailure()
    )
    raw.addEventListener('message', ({ data }) => this.#receive(data.subarray()))
  }

  sendData(data: Parameters<AbstractMultiaddrConnection['sendData']>[0]): SendResult {
    const frame = frameOf(data, { opcode: OPCODE.binary, isMasked: this.#isClient })
    return { sentBytes: data.byteLength, canSendMore: this.#raw.send(frame) }
  }

  sendReset(error: Error): void {
    this.#raw.abort(error)
  }

  async sendClose(options?: AbortOptions): Promise<void> {
    this.#sendControl(OPCODE.close, NOTHING)
    await this.#raw.close(options)
  }

  sendPause(): void {
    this.#raw.status === 'open' && this.#raw.pause()
  }

  sendResume(): void {
    this.#raw.status === 'open' && this.#raw.resume()
  }

  #receive(bytes: Uint8Array): void {
    try {
      this.#reader.push(bytes)
      this.#answerPing()
    } catch (error) {
      this.abort(toError(error))
    }
  }

  /**
   * Answers only the latest of several pings, and none while the other side does not read (RFC 6455, §5.5.3).
   */
  #answerPing(): void {
    const ping = this.#ping
    this.#ping = undefined

    if (ping !== undefined && !this.#raw.writableNeedsDrain) {
      this.#sendControl(OPCODE.pong, ping)
    }
  }

  #sendControl(opcode: number, payload: Uint8Array): void {
    if (this.#raw.status === 'open') {
      this.#raw.send(frameOf(payload, { opcode, isMasked: this.#isClient }))
    }
  }

  #onClose(): void {
    this.#sendControl(OPCODE.close, NOTHING)
    this.#raw.close().catch((error) => this.#raw.abort(toError(error)))
  }

  #onFailure(): void {
    if (this.status === 'open' || this.status === 'closing') {
      this.onRemoteReset()
    }
  }
}
