import type { AbortOptions, MultiaddrConnection } from '@libp2p/interface'
import { AbstractMultiaddrConnection, type SendResult } from '@libp2p/utils'
import type { DelayLine } from './delay-line.ts'

/** A connection on which what the other end sends arrives later. */
export class DelayedConnection extends AbstractMultiaddrConnection {
  readonly #connection: MultiaddrConnection

  constructor(connection: MultiaddrConnection, line: DelayLine) {
    const { remoteAddr, direction, log } = connection
    super({ remoteAddr, direction, log })
    this.#connection = connection

    connection.addEventListener('message', ({ data }) => line.send(() => this.onData(data)))
    connection.addEventListener('drain', () => this.safeDispatchEvent('drain'))
    connection.addEventListener('close', ({ error }) =>
      line.send(() => this.onTransportClosed(error))
    )
  }

  /** What is sent while the news that the connection has closed is on its way is lost. */
  override sendData(data: Parameters<MultiaddrConnection['send']>[0]): SendResult {
    const isLost = this.#connection.status !== 'open'
    return { sentBytes: data.byteLength, canSendMore: isLost || this.#connection.send(data) }
  }

  override async sendClose(options?: AbortOptions): Promise<void> {
    await this.#connection.close(options)
  }

  override sendReset(error: Error): void {
    this.#connection.abort(error)
  }

  override sendPause(): void {
    this.#connection.pause()
  }

  override sendResume(): void {
    this.#connection.resume()
  }
}
