import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

const FIRST_PORT = 20_000

/** From here on the system hands out ports to whoever asks for any: too easily taken meanwhile. */
const FIRST_EPHEMERAL_PORT = 32_768

/** A loopback address that nobody listens on now, as `127.0.0.1:<port>`. */
export async function freeAddress(): Promise<string> {
  for (;;) {
    const port = Math.floor(FIRST_PORT + Math.random() * (FIRST_EPHEMERAL_PORT - FIRST_PORT))

    try {
      const server = await listening(createServer(), port)
      server.close()
      await once(server, 'close')
      return `127.0.0.1:${port}`
    } catch {
      // Taken: another one may be free.
    }
  }
}

/** A server that lets everybody connect and never says a word. */
export interface MuteServer extends AsyncDisposable {
  readonly address: string

  /** Resolves when somebody has connected. */
  readonly connected: Promise<unknown>
}

export async function muteServer(): Promise<MuteServer> {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket.on('error', () => {}).resume()))
  const connected = once(server, 'connection')
  await listening(server, 0)

  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connected,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) {
        socket.destroy()
      }

      server.close()
      await once(server, 'close')
    }
  }
}

async function listening(server: Server, port: number): Promise<Server> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}
