import { describe, expect, it } from 'vitest'
import { Flow } from '../../src/node/flow.ts'

/** A connection that delivers its queue before it accepts more, as libp2p's do. */
class Connection {
  readonly status = 'open'
  onWaiting = (): void => {}
  isPaused = false
  isFlowing = true

  pause(): void {
    if (!this.isPaused) {
      this.isPaused = true
      this.isFlowing = false
    }
  }

  resume(): void {
    this.isPaused = false
    this.onWaiting()
    this.isFlowing = true
  }
}

describe('Flow', () => {
  it('stays paused where what has waited was too much again (N9e)', () => {
    const connection = new Connection()
    const flow = new Flow(connection)
    connection.onWaiting = () => flow.pause()
    flow.pause()
    flow.resume()
    expect([connection.isPaused, connection.isFlowing]).toEqual([true, false])

    connection.onWaiting = () => {}
    flow.resume()
    expect([connection.isPaused, connection.isFlowing]).toEqual([false, true])
  })
})
