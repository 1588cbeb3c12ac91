import { assertCount, assertMembers, type Check } from '../option-checks.ts'
import type { Watermarks } from './budget-rule.ts'

/** Servers that stay connected when there are too many. */
export const DEFAULT_LOW_CONNECTIONS = 64

/** Connected servers beyond which the least recently used ones are disconnected. */
export const DEFAULT_HIGH_CONNECTIONS = 96

/** Milliseconds for which a new connection stays open, used or not. */
export const DEFAULT_CONNECTION_GRACE_MS = 20_000

/** How many connections a node keeps. */
export interface ConnectionOptions {
  /**
   * Servers that stay connected when there are too many. At most 55 % of libp2p's `maxConnections`.
   *
   * @default DEFAULT_LOW_CONNECTIONS
   */
  low?: number | undefined

  /**
   * Connected servers beyond which the least recently used ones are disconnected. At most 70 % of
   * libp2p's `maxConnections`.
   *
   * @default DEFAULT_HIGH_CONNECTIONS
   */
  high?: number | undefined

  /**
   * Milliseconds for which a new connection stays open, used or not.
   *
   * @default DEFAULT_CONNECTION_GRACE_MS
   */
  graceMs?: number | undefined
}

const CHECKS: Readonly<Record<keyof ConnectionOptions, Check>> = {
  low: assertCount,
  high: assertCount,
  graceMs: assertNotNegativeMs
}

/** Shares of libp2p's `maxConnections`: libp2p refuses newcomers beyond that, and keeps no room for any. */
const LOW_SHARE = 0.55
const HIGH_SHARE = 0.7
const HIGH_TOTAL_SHARE = 0.85

/** @throws TypeError for watermarks that can't be kept */
export function assertConnectionOptions(value: unknown, option: string): void {
  assertMembers(value, option, CHECKS)
  const { low, high } = { ...DEFAULTS, ...(value as ConnectionOptions) }

  if (low !== undefined && high !== undefined && low >= high) {
    throw new TypeError(`${option}.low ${low} must be less than ${option}.high ${high}`)
  }
}

const DEFAULTS = { low: DEFAULT_LOW_CONNECTIONS, high: DEFAULT_HIGH_CONNECTIONS }

/** The watermarks that a node keeps to, given libp2p's limit. */
export function watermarksOf(
  {
    low = DEFAULT_LOW_CONNECTIONS,
    high = DEFAULT_HIGH_CONNECTIONS,
    graceMs = DEFAULT_CONNECTION_GRACE_MS
  }: ConnectionOptions,
  maxConnections: number
): Watermarks {
  const share = (part: number): number => Math.max(1, Math.floor(part * maxConnections))
  return {
    low: Math.min(low, share(LOW_SHARE)),
    high: Math.min(high, share(HIGH_SHARE)),
    lowTotal: share(HIGH_SHARE),
    highTotal: share(HIGH_TOTAL_SHARE),
    graceMs
  }
}

function assertNotNegativeMs(value: unknown, option: string): void {
  if (!(typeof value === 'number' && value >= 0 && Number.isFinite(value))) {
    throw new TypeError(`${option} must be a number of milliseconds, 0 or more, got ${value}`)
  }
}
