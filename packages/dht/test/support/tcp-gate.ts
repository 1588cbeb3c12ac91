import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A proxy of TCP connections that can be cut silently. */
export interface TCPGate extends AsyncDisposable {
  readonly address: string

  /** Connections opened to it, cut ones included. */
  readonly opened: number

  /** Loses all bytes and connection attempts from now on, like a cut cable. */
  cut(): void

  /** Resets all connections, like a peer that was killed. */
  break(): void

  /** Lets new connections through again. Earlier ones stay dead. */
  mend(): void
}

/** Opens a proxy to an address `127.0.0.1:<port>`, at a port of its own. */
export async function tcpGate(target: () => string): Promise<TCPGate> {
  const sockets = new Set<Socket>()
  let isCut = false
  let opened = 0

  function track(socket: Socket): Socket {
    sockets.add(socket)
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }

  function pass(from: Socket, to: Socket): void {
    from.on('data', (data) => from.destroyed || cutOff.has(from) || to.write(data))
    from.on('close', () => cutOff.has(from) || to.destroy())
  }

  const cutOff = new WeakSet<Socket>()
  const server = createServer((inbound) => {
    track(inbound)
    opened++

    if (isCut) {
      cutOff.add(inbound.resume())
      return
    }

    const port = Number(target().split(':')[1])
    const outbound = track(connect(port, '127.0.0.1'))
    pass(inbound, outbound)
    pass(outbound, inbound)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get opened() {
      return opened
    },
    cut() {
      isCut = true

      for (const socket of sockets) {
        cutOff.add(socket)
      }
    },
    break() {
      for (const socket of sockets) {
        socket.resetAndDestroy()
      }
    },
    mend() {
      isCut = false
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) {
        socket.destroy()
      }

      server.close()
      await once(server, 'close')
    }
  }
}
