import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { toError } from '../errors.ts'
import { type Json, line } from '../text/json.ts'
import { type HttpError, httpErrorOf } from './http-error.ts'

const SERVICE_UNAVAILABLE = 503

/** Responds to one request. The signal is aborted when the client disconnects. */
export type Handle = (
  message: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal
) => Promise<void>

/** Makes a server's listener, which responds with the errors that the handler throws. */
export function listenerOf(handle: Handle): RequestListener {
  return (message, response) => {
    const ended = new AbortController()
    response.once('close', () => ended.abort(new Error('the client has gone')))
    handle(message, response, ended.signal).catch((error) => {
      refuse(response, httpErrorOf(toError(error)))
    })
  }
}

/** Responds with an error, and closes the connection. */
function refuse(response: ServerResponse, { status, code, message }: HttpError): void {
  if (response.headersSent) {
    response.destroy()
    return
  }

  if (status === 401) {
    response.setHeader('www-authenticate', 'Bearer')
  }

  if (status === SERVICE_UNAVAILABLE) {
    response.setHeader('retry-after', '1')
  }

  // The unread rest of a body would be taken for the next request.
  response.setHeader('connection', 'close')
  send(response, status, { error: message, code })
}

/** Responds with JSON. */
export function send(response: ServerResponse, status: number, json: Json): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff'
  })
  response.end(`${line(json)}\n`)
}
