import type { DHT } from '@waggle/dht'
import { type Handle, listenerOf, send } from './answers.ts'
import { type BoundedServer, startBoundedServer } from './bounded-server.ts'
import { OPENAPI } from './openapi.ts'
import { assertToken } from './token.ts'
import { respondWithValues } from './values.ts'

export interface ApiInit {
  readonly dht: DHT
  readonly host: string
  readonly port: number

  /** The secret in each request, as in `authorization: Bearer …`. */
  readonly token: string
}

/** Serves a node's values over HTTP to programs with the token. */
export async function serveApi({ dht, host, port, token }: ApiInit): Promise<BoundedServer> {
  const respond: Handle = async (message, response, signal) => {
    const { pathname } = new URL(message.url ?? '', 'http://node')

    if (pathname === '/v1/openapi.json' && message.method === 'GET') {
      send(response, 200, OPENAPI)
      return
    }

    assertToken(message, token)
    server.trust(message.socket)
    await respondWithValues(dht, message, response, signal)
  }
  const server = await startBoundedServer({ host, port, option: '--http' }, listenerOf(respond))
  return server
}
