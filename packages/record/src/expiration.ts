import { DEFAULT_LIMITS } from './constants.ts'
import { InvalidExpirationError } from './errors.ts'
import type { DHTTime, Limits } from './interface.ts'

/** Later than any expiration in seconds that people mean, earlier than any in milliseconds: the year 5138. */
const MILLISECONDS_FROM = 1e11

/** What a caller says about how long an entry lives: exactly one of the two. */
export interface Lifetime {
  /** DHT time, seconds: see `getDHTTime()`. */
  expirationTime?: DHTTime | undefined

  /** Seconds from now. */
  ttl?: number | undefined
}

/**
 * Turns what the caller said into the moment of expiration, or says what is wrong with it (R14).
 * A moment in the past is not an error: such an entry is simply never live.
 *
 * @throws TypeError unless exactly one of the two is given, as a number
 * @throws InvalidExpirationError when it is not finite or beyond `limits.maxTtl`
 */
export function expirationOf(
  { expirationTime, ttl }: Lifetime,
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
    return checked(now + ttl, { name: 'ttl', given: ttl, now, limits })
  }

  assertNumber('expirationTime', expirationTime)
  return checked(expirationTime, { name: 'expirationTime', given: expirationTime, now, limits })
}

/** The moment itself, unless it can never be one; the clock has no say. −0 becomes 0. */
export function momentOf(expirationTime: unknown): DHTTime {
  assertNumber('expirationTime', expirationTime)

  if (!Number.isFinite(expirationTime) || expirationTime < 0) {
    throw new InvalidExpirationError(
      `expirationTime ${expirationTime} is not a moment: use seconds since 1970, such as getDHTTime() + 600`
    )
  }

  return expirationTime === 0 ? 0 : expirationTime
}

/** Whether an expiration is further ahead than replicas accept. */
export function isTooFar(expirationTime: DHTTime, now: DHTTime, limits: Limits): boolean {
  return expirationTime - now > limits.maxTtl
}

/** What the caller gave, for the message that says what is wrong with it. */
interface Given {
  readonly name: 'expirationTime' | 'ttl'
  readonly given: number
  readonly now: DHTTime
  readonly limits: Limits
}

function checked(moment: number, { name, given, now, limits }: Given): DHTTime {
  if (!Number.isFinite(moment)) {
    throw new InvalidExpirationError(
      `${name} ${given} is not a moment: use a finite number of seconds`
    )
  }

  if (isTooFar(moment, now, limits)) {
    throw new InvalidExpirationError(
      `${name} ${given} is ${Math.round(moment - now)} seconds ahead, at most ${limits.maxTtl} are allowed. ${hint(name, given, limits)}`
    )
  }

  // A moment before 1970 is as expired as 1970; −0 would be a second zero.
  return Math.max(moment, 0)
}

/** A moment in milliseconds can't be meant in seconds, but a ttl of two months can: then only the caller knows. */
function hint(name: Given['name'], given: number, { maxTtl }: Limits): string {
  if (name === 'expirationTime' && given >= MILLISECONDS_FROM) {
    return 'It looks like milliseconds: divide by 1000, or use getDHTTime() + seconds.'
  }

  const isPerhapsMs = name === 'ttl' && given / 1000 <= maxTtl
  const advice = 'Store it for less, and again before it expires.'
  return isPerhapsMs ? `${advice} If these are milliseconds, divide by 1000.` : advice
}

function assertNumber(name: string, given: unknown): asserts given is number {
  if (typeof given !== 'number') {
    const shown = typeof given === 'string' ? JSON.stringify(given) : String(given)
    throw new TypeError(`${name} must be a number of seconds, got ${shown}`)
  }
}
