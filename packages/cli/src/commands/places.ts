import type { StoreOptions } from '@waggle/dht'
import { DEFAULT_LIMITS, getDHTTime, type Key } from '@waggle/record'
import type { Lifetime } from '@waggle/record/replica'
import type { Command } from 'commander'
import { UsageError } from '../errors.ts'
import { parseDuration, parseMoment, shownDuration } from '../text/time.ts'
import { parseKey, shown } from '../text/value-text.ts'

const DEFAULT_TTL = '1h'

/** Lifetime of a value when no option gives one. */
export const DEFAULT_LIFETIME: Lifetime = { ttl: parseDuration(DEFAULT_TTL, '--ttl') }

export interface LifetimeOptions {
  readonly ttl?: string
  readonly expirationTime?: string
}

export interface SubkeyOptions {
  readonly subkey?: string
}

export interface TimeoutOptions {
  readonly timeout: string
}

/** Adds the options of a lifetime. `hasDefault`: without them, the {@link DEFAULT_LIFETIME} applies. */
export function addLifetimeOptions(command: Command, what: string, hasDefault = false): Command {
  return command
    .option(
      '-t, --ttl <time>',
      `how long ${what}: seconds, or 90s, 10m, 2h, 7d${hasDefault ? ` (default: ${DEFAULT_TTL})` : ''}`
    )
    .option(
      '-e, --expiration-time <moment>',
      `until when ${what}: Unix seconds or a date, as in 2027-01-31T12:00Z`
    )
}

export function addTimeoutOption(command: Command): Command {
  return command.option('--timeout <time>', 'give up after this time', '30s')
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

export function subkeyOf({ subkey }: SubkeyOptions): Pick<StoreOptions, 'subkey'> {
  return subkey === undefined ? {} : { subkey: parseKey(subkey, 'the subkey') }
}

export function timeoutMsOf({ timeout }: TimeoutOptions): number {
  return parseDuration(timeout, '--timeout') * 1000
}

/** Formats a key and a subkey, as in `"party" / "alice"`. */
export function shownPlace(key: Key, subkey: Key | undefined): string {
  return subkey === undefined ? shown(key) : `${shown(key)} / ${shown(subkey)}`
}
