import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/**
 * A way to one node over TCP, which tells hosts apart by their addresses. It holds back everything between the
 * node and hosts that are cut off, without a word to either, and passes it on later, as TCP does when a cable
 * is plugged in again.
 */
export class Gate implements AsyncDisposable {
  readonly #server: Server
  readonly #hostOf = new Map<Socket, string>()

  /** Sockets of hosts that were cut off when they tried to connect. */
  readonly #waiting = new Set<Socket>()
  #cutOff: ReadonlySet<string> = new Set()

  private constructor(targetPort: number) {
    this.#server = createServer((near) => this.#accept(near, targetPort))
  }

  static async open(targetPort: number): Promise<Gate> {
    const gate = new Gate(targetPort)
    gate.#server.listen(0, '127.0.0.1')
    await once(gate.#server, 'listening')
    return gate
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Cuts off these hosts and no others. */
  cutOff(hosts: ReadonlySet<string>): void {
    this.#cutOff = hosts

    for (const [socket, host] of this.#hostOf) {
      hosts.has(host) ? socket.pause() : socket.resume()
    }

    for (const socket of this.#waiting) {
      socket.destroy()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [...this.#hostOf.keys(), ...this.#waiting]) {
      socket.destroy()
    }

    await once(this.#server.close(), 'close')
  }

  #accept(near: Socket, targetPort: number): void {
    const host = near.remoteAddress ?? ''

    if (this.#cutOff.has(host)) {
      this.#waiting.add(near.pause())
      near.on('error', () => {}).on('close', () => this.#waiting.delete(near))
      return
    }

    const far = connect({ port: targetPort, host: '127.0.0.1', localAddress: host })
    this.#pass(near, far, host)
    this.#pass(far, near, host)
  }

  #pass(from: Socket, to: Socket, host: string): void {
    this.#hostOf.set(from.setNoDelay(), host)
    from.on('error', () => {})
    from.on('close', () => {
      this.#hostOf.delete(from)
      to.destroySoon()
    })
    from.on('data', (bytes) => to.write(bytes) || from.pause())
    to.on('drain', () => this.#cutOff.has(host) || from.resume())
  }
}
