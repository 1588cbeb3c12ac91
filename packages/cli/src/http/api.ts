import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { DHT } from '@waggle/dht'
import { type Found, getDHTTime, type Key } from '@waggle/record'
import { expirationOf } from '@waggle/record/replica'
import { toError } from '../errors.ts'
import { subkeyEntry } from '../records/subkey-entry.ts'
import { foundJson } from '../text/found.ts'
import { type Json, line } from '../text/json.ts'
import { DEFAULT_LIFETIME } from '../text/lifetime.ts'
import { parseDuration } from '../text/time.ts'
import { valueIn } from './body.ts'
import { type BoundedServer, startBoundedServer } from './bounded-server.ts'
import { sendEvents } from './event-stream.ts'
import { HttpError, httpErrorOf } from './http-error.ts'
import { OPENAPI } from './openapi.ts'
import {
  assertFuture,
  assertParameters,
  givenLifetime,
  type Place,
  placeJson,
  placeOf
} from './place.ts'

/** Unauthenticated connections at once, and milliseconds that one may be idle. */
const MAX_CONNECTIONS = 64
const SILENCE_TIMEOUT_MS = 10_000

/** Time limit of a call without `timeout`, and its highest value, in seconds. */
const DEFAULT_TIMEOUT = 30
const MAX_TIMEOUT = 3600

/** Paths of values and of watches; the last segment is the key. */
const PATHS = /^\/v1\/(keys|watch)\/([^/]+)$/

const SERVICE_UNAVAILABLE = 503

export interface ApiInit {
  readonly dht: DHT
  readonly host: string
  readonly port: number

  /** The secret in each request, as in `authorization: Bearer …`. */
  readonly token: string
}

/** A request for a place, with the parts that its calls need. */
interface Request {
  readonly dht: DHT
  readonly message: IncomingMessage
  readonly place: Place
  readonly query: URLSearchParams
  readonly call: { readonly signal: AbortSignal; readonly timeoutMs: number }
}

const METHODS: Readonly<Record<string, (request: Request) => Promise<Json>>> = {
  GET: read,
  PUT: write,
  DELETE: remove
}

/** Serves a node's values over HTTP to programs with the token. */
export async function serveApi({ dht, host, port, token }: ApiInit): Promise<BoundedServer> {
  const limits = { maxConnections: MAX_CONNECTIONS, silenceTimeoutMs: SILENCE_TIMEOUT_MS }
  const server = await startBoundedServer(
    { host, port, option: '--http', ...limits },
    (message, response) => {
      const ended = new AbortController()
      response.once('close', () => ended.abort(new Error('the client has disconnected')))
      respond(message, response, ended.signal).catch((error) => {
        refuse(response, httpErrorOf(toError(error)))
      })
    }
  )

  async function respond(
    message: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal
  ): Promise<void> {
    const { pathname, searchParams: query } = new URL(message.url ?? '', 'http://node')

    if (pathname === '/v1/openapi.json' && message.method === 'GET') {
      send(response, 200, OPENAPI)
      return
    }

    assertToken(message, token)
    server.trust(message.socket)
    const [, kind, segment] = PATHS.exec(pathname) ?? []

    if (segment === undefined) {
      throw new HttpError(404, 'no-such-path', `there is no ${pathname}: see /v1/openapi.json`)
    }

    const method = methodOf(message, response, kind)
    assertParameters(method, query)
    const place = placeOf(segment, query)
    const call = { signal, timeoutMs: timeoutMsIn(query) }

    if (kind === 'watch') {
      await sendEvents(response, changes(dht, place, signal), signal)
      return
    }

    const answer = METHODS[method]?.({ dht, message, place, query, call })
    send(response, 200, (await answer) ?? null)
  }

  return server
}

/** Returns the method, which the path must support. */
function methodOf(
  { method = '' }: IncomingMessage,
  response: ServerResponse,
  kind: string | undefined
): string {
  const allowed = kind === 'watch' ? ['GET'] : Object.keys(METHODS)

  if (!allowed.includes(method)) {
    response.setHeader('allow', allowed.join(', '))
    throw new HttpError(405, 'no-such-method', `the path has ${allowed.join(', ')}, not ${method}`)
  }

  return method
}

async function read({ dht, place, query, call }: Request): Promise<Json> {
  const { key, subkey } = place
  const found = await dht.get(key, { ...call, latest: isTrue(query, 'latest') })
  const part = partOf(found, place)

  if (part === undefined) {
    throw new HttpError(404, 'absent', 'no value is stored there, or it has expired')
  }

  return subkey === undefined
    ? foundJson(key, part)
    : { ...entryJson(key, part), ...placeJson(place) }
}

async function write({ dht, message, place, query, call }: Request): Promise<Json> {
  const expirationTime = expirationOf(givenLifetime(query) ?? DEFAULT_LIFETIME, getDHTTime())
  assertFuture(expirationTime)
  const value = await valueIn(message)
  const { key, subkey } = place

  if (!(await dht.store(key, value, { ...call, subkey, expirationTime }))) {
    throw beaten('a value that expires later, or not earlier, is stored there: use a longer ttl')
  }

  return { stored: true, ...placeJson(place), expirationTime }
}

async function remove({ dht, place, query, call }: Request): Promise<Json> {
  const { key, subkey } = place

  if (!(await dht.delete(key, { ...call, subkey, ...givenLifetime(query) }))) {
    throw beaten('a value that expires later is still stored there, or another peer owns it')
  }

  return { deleted: true, ...placeJson(place) }
}

/** Yields the value of a place now, and after each change. */
async function* changes(dht: DHT, place: Place, signal: AbortSignal): AsyncGenerator<Json> {
  let last: string | undefined

  for await (const { current } of dht.watch(place.key, { signal })) {
    const part = partOf(current, place)
    const json =
      part === undefined
        ? { ...placeJson(place), gone: true }
        : { ...entryJson(place.key, part), ...placeJson(place) }
    const text = line(json)

    // A change of another subkey does not concern this place.
    if (text !== last) {
      last = text
      yield json
    }
  }
}

function partOf(found: Found | undefined, { subkey }: Place): Found | undefined {
  return subkey === undefined ? found : subkeyEntry(found, subkey)
}

function entryJson(key: Key, found: Found): { readonly [name: string]: Json } {
  return foundJson(key, found) as { readonly [name: string]: Json }
}

function beaten(message: string): HttpError {
  return new HttpError(409, 'beaten', message)
}

function isTrue(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)

  if (value !== null && value !== 'true' && value !== 'false') {
    throw new HttpError(400, 'bad-request', `${name} must be true or false, not ${value}`)
  }

  return value === 'true'
}

function timeoutMsIn(query: URLSearchParams): number {
  const given = query.get('timeout')
  const seconds = given === null ? DEFAULT_TIMEOUT : parseDuration(given, 'timeout')
  return Math.min(seconds, MAX_TIMEOUT) * 1000
}

/** Hashes make tokens of any length comparable in constant time. */
function assertToken({ headers }: IncomingMessage, token: string): void {
  const [, given = ''] = /^Bearer (.+)$/i.exec(headers.authorization ?? '') ?? []
  const [expected, actual] = [token, given].map((text) =>
    createHash('sha256').update(text).digest()
  )

  if (expected === undefined || actual === undefined || !timingSafeEqual(expected, actual)) {
    throw new HttpError(
      401,
      'no-token',
      'the request needs the token that the node was started with: authorization: Bearer TOKEN'
    )
  }
}

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

function send(response: ServerResponse, status: number, json: Json): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff'
  })
  response.end(`${line(json)}\n`)
}
