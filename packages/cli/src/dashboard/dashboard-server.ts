import { setTimeout as sleep } from 'node:timers/promises'
import { cachedFor } from '../cached-for.ts'
import { forward, jsonAt } from '../control/control-client.ts'
import { type Handle, listenerOf, send } from '../http/answers.ts'
import { type BoundedServer, startBoundedServer } from '../http/bounded-server.ts'
import { assertOwnSite, setBrowserHeaders } from '../http/browser-guard.ts'
import { sendEvents } from '../http/event-stream.ts'
import { HttpError } from '../http/http-error.ts'
import { assertToken } from '../http/token.ts'
import type { Json } from '../text/json.ts'
import { pageFiles } from './page-files.ts'

export interface DashboardInit {
  /** The control socket of the node. */
  readonly socket: string
  readonly host: string
  readonly port: number
  readonly token: string

  /** Whether the page may store, get and watch. */
  readonly canWrite: boolean

  /** The dashboard's option, for error messages. */
  readonly option: string
}

/** Milliseconds between two states that an open page gets, and for which one serves several pages. */
const REFRESH_MS = 2000
const MAX_AGE_MS = 1000

/** Paths that the control socket answers. */
const READS = ['/history', '/search', '/inspect']

/** Paths of values, available to pages that may write. */
const VALUES = '/v1/'

/** Serves a page that shows a node to clients with the token. */
export async function serveDashboard(init: DashboardInit): Promise<BoundedServer> {
  const { host, port, token, canWrite, option } = init
  const files = await pageFiles()
  const respondWithData = dataOf(init)

  const respond: Handle = async (message, response, signal) => {
    const { pathname } = new URL(message.url ?? '', 'http://dashboard')
    setBrowserHeaders(response)
    assertOwnSite(message, host)

    if (message.method !== 'GET' && !(canWrite && pathname.startsWith(VALUES))) {
      response.setHeader('allow', 'GET')
      throw new HttpError(405, 'no-such-method', 'the dashboard only reads: see --dashboard-write')
    }

    const file = files.get(pathname)

    if (file === undefined) {
      assertToken(message, token)
      server.trust(message.socket)
      await respondWithData(message, response, signal)
    } else {
      response.writeHead(200, { 'content-type': file.type, 'cache-control': 'no-cache' })
      response.end(file.content)
    }
  }
  const server = await startBoundedServer({ host, port, option }, listenerOf(respond))
  return server
}

/** Responds to an authorized page's requests. */
function dataOf({ socket, canWrite }: DashboardInit): Handle {
  const state = cachedFor(MAX_AGE_MS, () => jsonAt<Json>(socket, '/dashboard'))

  return async (message, response, signal) => {
    const { pathname } = new URL(message.url ?? '', 'http://dashboard')

    if (pathname === '/live') {
      await sendEvents(response, states(state, signal), signal)
    } else if (pathname === '/settings') {
      send(response, 200, { canWrite })
    } else if (READS.includes(pathname) || (canWrite && pathname.startsWith(VALUES))) {
      await forward(socket, message, response)
    } else {
      throw new HttpError(404, 'no-such-path', `there is no ${pathname}`)
    }
  }
}

/** Yields the state of the node at intervals; null while it does not respond. */
async function* states(read: () => Promise<Json>, signal: AbortSignal): AsyncGenerator<Json> {
  while (!signal.aborted) {
    yield await read().catch(() => null)
    await sleep(REFRESH_MS, undefined, { signal }).catch(() => {})
  }
}
