import { randomBytes } from 'node:crypto'
import { UsageError } from '../errors.ts'
import type { CommandIO } from '../io.ts'
import { parsePort } from '../text/count.ts'

/** The ports of `--http` and `--dashboard` without a number. */
export const DEFAULT_HTTP_PORT = 8337
export const DEFAULT_DASHBOARD_PORT = 8338

/** The environment variable with the clients' token. */
export const HTTP_TOKEN_VARIABLE = 'WAGGLE_HTTP_TOKEN'

/** A valid token: long enough not to be guessed, and safe in a header. */
const TOKEN = /^[!-~]{16,256}$/

/** Bytes of a token that is generated for one run. */
const TOKEN_BYTES = 24

/** Reads the port of an option that may stand without one; undefined without the option. */
export function givenPort(
  given: string | true | undefined,
  option: string,
  defaultPort: number
): number | undefined {
  return given === true ? defaultPort : given === undefined ? undefined : parsePort(given, option)
}

/** Generates a token for one run. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url')
}

/**
 * Reads the token from the environment, which other users of the machine can't see, unlike arguments.
 *
 * @throws UsageError for a token that is too short or not ASCII
 */
export function givenToken({ env }: Pick<CommandIO, 'env'>): string | undefined {
  const given = env[HTTP_TOKEN_VARIABLE]

  if (given === undefined || given === '') {
    return undefined
  }

  if (!TOKEN.test(given)) {
    throw new UsageError(
      `$${HTTP_TOKEN_VARIABLE} must have 16 to 256 ASCII characters and no spaces, such as the output of: openssl rand -hex 24`
    )
  }

  return given
}
