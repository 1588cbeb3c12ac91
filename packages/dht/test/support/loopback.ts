import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

const FIRST_IN_A_ROW = 10_000
const FIRST_PORT = 20_000

/** From here on the system hands out ports to whoever asks for any: too easily taken meanwhile. */
const FIRST_EPHEMERAL_PORT = 32_768

/** A loopback address that nobody listens on now, as `127.0.0.1:<port>`. */
export async function freeAddress(): Promise<string> {
  for (;;) {
    const port = randomFrom(FIRST_PORT, FIRST_EPHEMERAL_PORT)

    if (await isFree(port)) {
      return `127.0.0.1:${port}`
    }
  }
}

/** The first of so many ports in a row that nobody listens on now: none of those that `freeAddress` gives. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = randomFrom(FIRST_IN_A_ROW, FIRST_PORT - count)
    const ports = Array.from({ length: count }, (_, i) => first + i)

    if ((await Promise.all(ports.map(isFree))).every(Boolean)) {
      return first
    }
  }
}

function randomFrom(first: number, end: number): number {
  return Math.floor(first + Math.random() * (end - first))
}

async function isFree(port: number): Promise<boolean> {
  try {
    const server = await listening(createServer(), port)
    server.close()
    await once(server, 'close')
    return true
  } catch {
    return false
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
