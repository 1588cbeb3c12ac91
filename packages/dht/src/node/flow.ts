import type { MessageStream } from '@libp2p/interface'

/**
 * Pauses and resumes a connection's incoming data. When libp2p resumes one, it first delivers buffered data and
 * then reads more, even if the receiver has paused the connection again in between.
 */
export class Flow {
  readonly #connection: Pick<MessageStream, 'pause' | 'resume' | 'status'>
  #isResuming = false
  #isPauseDue = false

  constructor(connection: Pick<MessageStream, 'pause' | 'resume' | 'status'>) {
    this.#connection = connection
  }

  pause(): void {
    if (this.#isResuming) {
      this.#isPauseDue = true
    } else if (this.#connection.status === 'open') {
      this.#connection.pause()
    }
  }

  resume(): void {
    if (this.#connection.status !== 'open') {
      return
    }

    this.#isResuming = true

    try {
      this.#connection.resume()
    } finally {
      this.#isResuming = false
    }

    if (this.#isPauseDue) {
      this.#isPauseDue = false
      this.pause()
    }
  }
}
