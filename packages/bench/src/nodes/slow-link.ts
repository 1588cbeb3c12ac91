import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { DelayLine } from './delay-line.ts'

export interface LinkSpeed {
  /** Bandwidth of each direction. */
  readonly mbitPerSecond: number

  /** Delay in one direction. */
  readonly delayMs: number
}

/** Bytes that arrive together. */
const PACKET_BYTES = 1400

/** Milliseconds of data that the link buffers: few, so that a sender's own socket fills up. */
const AHEAD_MS = 30

/** Finds a port that is free at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await once(server.close(), 'close')
  return port
}

/** A shared link with limited bandwidth and a delay, for TCP connections to any number of ports. */
export class SlowLink implements AsyncDisposable {
  readonly #speed: LinkSpeed
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  readonly #directions = { up: { freeAtMs: 0 }, down: { freeAtMs: 0 } }

  constructor(speed: LinkSpeed) {
    this.#speed = speed
  }

  get bytesPerMs(): number {
    return this.#speed.mbitPerSecond * 125
  }

  /** Forwards a new port to a port of this machine; resolves with the new port. */
  async open(target: () => number): Promise<number> {
    const server = createServer((near) => {
      const far = connect(target(), '127.0.0.1')
      this.#pass(near, far, this.#directions.up)
      this.#pass(far, near, this.#directions.down)
    })
    this.#servers.push(server.listen(0, '127.0.0.1'))
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) {
      socket.destroy()
    }

    await Promise.all(this.#servers.map((server) => once(server.close(), 'close')))
  }

  #pass(from: Socket, to: Socket, direction: { freeAtMs: number }): void {
    const line = new DelayLine(this.#speed.delayMs)
    this.#sockets.add(from.setNoDelay())
    from.on('error', () => to.destroy())
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroy()
    })
    from.on('data', (bytes) => {
      const nowMs = performance.now()
      direction.freeAtMs = Math.max(direction.freeAtMs, nowMs)

      for (let at = 0; at < bytes.length; at += PACKET_BYTES) {
        const packet = bytes.subarray(at, at + PACKET_BYTES)
        direction.freeAtMs += packet.length / this.bytesPerMs
        line.send(() => to.destroyed || to.write(packet), direction.freeAtMs - nowMs)
      }

      const waitMs = direction.freeAtMs - nowMs

      if (waitMs > AHEAD_MS) {
        from.pause()
        setTimeout(() => from.resume(), waitMs - AHEAD_MS)
      }
    })
  }
}
