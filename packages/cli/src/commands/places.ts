import type { StoreOptions } from '@waggle/dht'
import type { Key } from '@waggle/record'
import type { Command } from 'commander'
import { DEFAULT_TTL } from '../text/lifetime.ts'
import { parseDuration } from '../text/time.ts'
import { parseKey, shown } from '../text/value-text.ts'

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
