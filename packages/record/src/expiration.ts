import { assertThat } from './argument-checks.ts'
import { InvalidExpirationError } from './errors.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import type { DHTTime } from './time.ts'

/**
 * Timestamps from which a number can only be meant in milliseconds: the year 5138 in seconds, 1973 in
 * milliseconds.
 */
const MILLISECONDS_FROM = 1e11

/** The lifetime that a caller gives an entry: a `ttl` in seconds from now, or an `expirationTime`. */
export type Lifetime = LifetimeByTtl | LifetimeByExpiration

/** A lifetime, where something else decides it if it is left out. */
export type OptionalLifetime = Lifetime | NoLifetime

interface LifetimeByTtl {
  /** Seconds from now. */
  readonly ttl: number
  readonly expirationTime?: undefined
}

interface LifetimeByExpiration {
  /** DHT time, seconds: see `getDHTTime()`. */
  readonly expirationTime: DHTTime
  readonly ttl?: undefined
}

interface NoLifetime {
  readonly ttl?: undefined
  readonly expirationTime?: undefined
}

/**
 * Converts a lifetime to a timestamp (R14). A timestamp in the past is not an error: such an entry is
 * never live.
 *
 * @throws TypeError unless exactly one of the two is given, as a number
 * @throws InvalidExpirationError if the timestamp is not finite or is beyond `limits.maxTtl`
 */
export function expirationOf(
  { expirationTime, ttl }: OptionalLifetime,
  now: DHTTime,
  limits: Limits = DEFAULT_LIMITS
): DHTTime {
  if ((expirationTime == null) === (ttl == null)) {
    const what = 'expirationTime (DHT time, seconds) or ttl (seconds from now)'
    throw new TypeError(
      ttl == null ? `${what} is missing: give one, such as { ttl: 600 }` : `give ${what}, not both`
    )
  }

  if (expirationTime == null) {
    assertNumber('ttl', ttl)
    return clampExpiration(now + ttl, { name: 'ttl', given: ttl, now, limits })
  }

  assertNumber('expirationTime', expirationTime)
  return clampExpiration(expirationTime, {
    name: 'expirationTime',
    given: expirationTime,
    now,
    limits
  })
}

/**
 * Accepts any number that can be a timestamp, independent of the current time. −0 becomes 0.
 *
 * @throws TypeError for other types
 * @throws InvalidExpirationError for negative and infinite numbers and NaN
 */
export function parseTimestamp(expirationTime: unknown): DHTTime {
  assertNumber('expirationTime', expirationTime)

  if (!Number.isFinite(expirationTime) || expirationTime < 0) {
    throw new InvalidExpirationError(
      `expirationTime ${expirationTime} is not a timestamp: use seconds since 1970, such as getDHTTime() + 600`
    )
  }

  return expirationTime === 0 ? 0 : expirationTime
}

/** Whether an expiration is further ahead than replicas accept. */
export function isTooFar(expirationTime: DHTTime, now: DHTTime, limits: Limits): boolean {
  return expirationTime - now > limits.maxTtl
}

/** The caller's argument, for the error message. */
interface Given {
  readonly name: 'expirationTime' | 'ttl'
  readonly given: number
  readonly now: DHTTime
  readonly limits: Limits
}

/** Refuses a timestamp that is not finite or is too far ahead. One before 1970 becomes 0, as does −0. */
function clampExpiration(timestamp: number, { name, given, now, limits }: Given): DHTTime {
  if (!Number.isFinite(timestamp)) {
    const kind = name === 'ttl' ? 'a duration' : 'a timestamp'
    throw new InvalidExpirationError(
      `${name} ${given} is not ${kind}: use a finite number of seconds`
    )
  }

  if (isTooFar(timestamp, now, limits)) {
    throw new InvalidExpirationError(
      `${name} ${given} is ${Math.round(timestamp - now)} seconds ahead, at most ${limits.maxTtl} are allowed. ${hint(name, given, limits)}`
    )
  }

  return Math.max(timestamp, 0)
}

/**
 * Suggests a fix. A timestamp that large must be milliseconds, but a ttl of two months may be either:
 * only the caller knows.
 */
function hint(name: Given['name'], given: number, { maxTtl }: Limits): string {
  if (name === 'expirationTime' && given >= MILLISECONDS_FROM) {
    return 'It looks like milliseconds: divide by 1000, or use getDHTTime() + seconds.'
  }

  const mayBeMs = name === 'ttl' && given / 1000 <= maxTtl
  const advice = 'Store it for a shorter time, and store it again before it expires.'
  return mayBeMs ? `${advice} If this is in milliseconds, divide by 1000.` : advice
}

function assertNumber(name: string, given: unknown): asserts given is number {
  assertThat(typeof given === 'number', name, 'a number of seconds', given)
}
