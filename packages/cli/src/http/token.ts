import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { HttpError } from './http-error.ts'

/**
 * Checks the token of a request. Hashes make tokens of any length comparable in constant time.
 *
 * @throws HttpError for a token that is missing or wrong
 */
export function assertToken({ headers }: IncomingMessage, token: string): void {
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
