import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface EndingProxy extends AsyncDisposable {
  readonly address: string

  /** Connections ended so far. */
  readonly ended: number
}

export interface EndingProxyInit {
  /** Bytes of the server that are passed on before a connection ends. */
  readonly bytes: number

  /** Connections that end in this way. Later ones stay open. */
  readonly times: number
}

/** Opens a port in front of a server, and ends its first connections early. */
export async function endingProxy(
  port: number,
  { bytes, times }: EndingProxyInit
): Promise<EndingProxy> {
  let ended = 0
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const server = connect(port, '127.0.0.1')
    pairUp(client, server, sockets)
    client.pipe(server)

    if (ended === times) {
      server.pipe(client)
    } else {
      ended++
      passOn(server, client, bytes)
    }
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')

  return {
    address: `/ip4/127.0.0.1/tcp/${(proxy.address() as AddressInfo).port}`,
    get ended() {
      return ended
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) {
        socket.destroy()
      }

      await new Promise((resolve) => proxy.close(resolve))
    }
  }
}

function pairUp(client: Socket, server: Socket, sockets: Set<Socket>): void {
  for (const [socket, other] of [
    [client, server],
    [server, client]
  ] as const) {
    sockets.add(socket)
    socket.on('error', () => other.destroy())
    socket.on('close', () => {
      sockets.delete(socket)
      other.destroySoon()
    })
  }
}

/** Passes on some bytes, and ends both sockets. */
function passOn(server: Socket, client: Socket, bytes: number): void {
  let left = bytes
  const end = (): void => {
    client.end()
    server.destroy()
  }

  if (left === 0) {
    end()
  }

  server.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, left)
    left -= part.length
    client.write(part)

    if (left === 0) {
      end()
    }
  })
}
