import { getDHTTime, type Key, type Subkey } from '@waggle/record'
import type { Lifetime } from '@waggle/record/replica'
import type { Json } from '../text/json.ts'
import { lifetimeOf } from '../text/lifetime.ts'
import { jsonOf, parseKey } from '../text/value-text.ts'
import { HttpError } from './http-error.ts'

/** A key, and the subkey if the request names one. */
export interface Place {
  readonly key: Key
  readonly subkey: Subkey | undefined
}

/** Allowed query parameters, by method. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  GET: ['subkey', 'latest', 'timeout'],
  PUT: ['subkey', 'ttl', 'expiration-time', 'timeout'],
  DELETE: ['subkey', 'ttl', 'expiration-time', 'timeout']
}

/** @throws HttpError for an unknown parameter, which is most likely a typing error */
export function assertParameters(method: string, query: URLSearchParams): void {
  const known = PARAMETERS[method] ?? []
  const unknown = [...query.keys()].find((name) => !known.includes(name))

  if (unknown !== undefined) {
    throw new HttpError(
      400,
      'bad-request',
      `there is no parameter ${unknown} for ${method}: there are ${known.join(', ')}`
    )
  }
}

/** Reads the key and the subkey in the command line's syntax. */
export function placeOf(segment: string, query: URLSearchParams): Place {
  const subkey = query.get('subkey')
  return {
    key: parseKey(decoded(segment)),
    subkey: subkey === null ? undefined : parseKey(subkey, 'the subkey')
  }
}

/** Reads the lifetime of a write; undefined when the request gives none. */
export function givenLifetime(query: URLSearchParams): Lifetime | undefined {
  const ttl = query.get('ttl')
  const expirationTime = query.get('expiration-time')
  return lifetimeOf({
    ...(ttl !== null && { ttl }),
    ...(expirationTime !== null && { expirationTime })
  })
}

/** Formats a place for a response. */
export function placeJson({ key, subkey }: Place): { readonly [name: string]: Json } {
  return { key: jsonOf(key), ...(subkey !== undefined && { subkey: jsonOf(subkey) }) }
}

/** @throws HttpError for a timestamp in the past */
export function assertFuture(expirationTime: number): void {
  if (expirationTime <= getDHTTime()) {
    throw new HttpError(400, 'expired', `the expiration time ${expirationTime} has passed`)
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new HttpError(400, 'bad-request', 'the key in the path is not percent-encoded UTF-8')
  }
}
