import type { IncomingMessage, ServerResponse } from 'node:http'
import type { DHT } from '@waggle/dht'
import { type Found, getDHTTime, type Key } from '@waggle/record'
import { expirationOf } from '@waggle/record/replica'
import { foundJson } from '../text/found.ts'
import type { Json } from '../text/json.ts'
import { DEFAULT_LIFETIME } from '../text/lifetime.ts'
import { parseDuration } from '../text/time.ts'
import { send } from './answers.ts'
import { valueIn } from './body.ts'
import { sendEvents } from './event-stream.ts'
import { HttpError } from './http-error.ts'
import {
  assertFuture,
  assertParameters,
  givenLifetime,
  type Place,
  placeJson,
  placeOf
} from './place.ts'

/** Time limit of a call without `timeout`, and its highest value, in seconds. */
const DEFAULT_TIMEOUT = 30
const MAX_TIMEOUT = 3600

/** Paths of values and of watches; the last segment is the key. */
const PATHS = /^\/v1\/(keys|watch)\/([^/]+)$/

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

/**
 * Answers a request for a value, or for the changes of one, until the signal is aborted.
 *
 * @throws HttpError, and the errors of the calls
 */
export async function respondWithValues(
  dht: DHT,
  message: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal
): Promise<void> {
  const { pathname, searchParams: query } = new URL(message.url ?? '', 'http://node')
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
  const found = await dht.get(key, { ...call, subkey, latest: isTrue(query, 'latest') })

  if (found === undefined) {
    throw new HttpError(404, 'absent', 'no value is stored there, or it has expired')
  }

  return subkey === undefined
    ? foundJson(key, found)
    : { ...entryJson(key, found), ...placeJson(place) }
}

async function write({ dht, message, place, query, call }: Request): Promise<Json> {
  const expirationTime = expirationOf(givenLifetime(query) ?? DEFAULT_LIFETIME, getDHTTime())
  assertFuture(expirationTime)
  const value = await valueIn(message)
  const { key, subkey } = place

  if (!(await dht.store(key, value, { ...call, subkey, expirationTime }))) {
    throw beaten('a value or a deletion there does not expire earlier: use a longer ttl')
  }

  return { stored: true, ...placeJson(place), expirationTime }
}

async function remove({ dht, place, query, call }: Request): Promise<Json> {
  const { key, subkey } = place

  if (!(await dht.delete(key, { ...call, subkey, ...givenLifetime(query) }))) {
    throw beaten('a value or a deletion there does not expire earlier, or another peer owns it')
  }

  return { deleted: true, ...placeJson(place) }
}

/**
 * Watches a place.
 *
 * @throws InvalidKeyError at once, before the stream of events begins
 */
function changes(dht: DHT, place: Place, signal: AbortSignal): AsyncGenerator<Json> {
  const { key, subkey } = place
  return changesJson(
    place,
    subkey === undefined ? dht.watch(key, { signal }) : dht.watch(key, { signal, subkey })
  )
}

/** Yields the value of a place now, and after each change. */
async function* changesJson(
  place: Place,
  events: AsyncIterable<{ readonly current?: Found | undefined }>
): AsyncGenerator<Json> {
  for await (const { current } of events) {
    yield current === undefined
      ? { ...placeJson(place), gone: true }
      : { ...entryJson(place.key, current), ...placeJson(place) }
  }
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
