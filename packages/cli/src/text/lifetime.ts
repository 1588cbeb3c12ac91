import { getDHTTime } from '@waggle/record'
import type { Lifetime } from '@waggle/record/replica'
import { DEFAULT_LIMITS } from '@waggle/record/replica'
import { UsageError } from '../errors.ts'
import { parseDuration, parseMoment, shownDuration } from './time.ts'

export const DEFAULT_TTL = '1h'

/** Lifetime of a value when no option gives one. */
export const DEFAULT_LIFETIME: Lifetime = { ttl: parseDuration(DEFAULT_TTL, '--ttl') }

export interface LifetimeOptions {
  readonly ttl?: string
  readonly expirationTime?: string
}

/**
 * Reads the lifetime from the options; undefined without either of them.
 *
 * @throws UsageError when both are given, or one is not valid
 */
export function lifetimeOf({ ttl, expirationTime }: LifetimeOptions): Lifetime | undefined {
  if (ttl !== undefined && expirationTime !== undefined) {
    throw new UsageError('give either --ttl or --expiration-time, not both')
  }

  if (expirationTime !== undefined) {
    return { expirationTime: parseExpiration(expirationTime) }
  }

  return ttl === undefined ? undefined : { ttl: parseTTL(ttl) }
}

function parseExpiration(text: string): number {
  const expirationTime = parseMoment(text, '--expiration-time')
  const ahead = expirationTime - getDHTTime()

  if (ahead > DEFAULT_LIMITS.maxTtl) {
    throw new UsageError(
      `--expiration-time ${text} is ${shownDuration(ahead)} ahead, more than ${shownDuration(DEFAULT_LIMITS.maxTtl)}, the longest lifetime: use Unix seconds, and store the value again before it expires`
    )
  }

  return expirationTime
}

function parseTTL(text: string): number {
  const seconds = parseDuration(text, '--ttl')

  if (seconds > DEFAULT_LIMITS.maxTtl) {
    throw new UsageError(
      `--ttl ${text} exceeds ${shownDuration(DEFAULT_LIMITS.maxTtl)}, the longest lifetime: store the value again before it expires`
    )
  }

  return seconds
}
