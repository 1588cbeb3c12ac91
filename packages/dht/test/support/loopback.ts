import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

const FIRST_IN_A_ROW = 10_000
const FIRST_PORT = 20_000

/** The first port that the system gives to any process that asks for one. */
const FIRST_EPHEMERAL_PORT = 32_768

/** Finds a loopback address without a listener, as `127.0.0.1:<port>`. */
export async function freeAddress(): Promise<string> {
  for (;;) {
    const port = randomFrom(FIRST_PORT, FIRST_EPHEMERAL_PORT)

    if (await isFree(port)) {
      return `127.0.0.1:${port}`
    }
  }
}

/**
 * Finds the first of some ports in a row without listeners, none of which `freeAddress` returns.
 */
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

/** A server that accepts every connection and sends nothing. */
export interface MuteServer extends AsyncDisposable {
  readonly address: string

  /** Resolves at the first connection. */
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
