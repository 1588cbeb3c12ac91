import {
  assertCount,
  assertMembers,
  assertThat,
  type OptionTable,
  withDefaults
} from '../option-checks.ts'
import type { Watermarks } from './budget-rule.ts'

/** Connections that a node keeps in a network with more servers than these. */
export interface ConnectionOptions {
  /**
   * Servers that stay connected after trimming. Never more than 55 % of libp2p's `maxConnections`.
   *
   * @default DEFAULTS.connections.low
   */
  low?: number | undefined

  /**
   * Connected servers above which the least recently used are disconnected. Never more than 70 % of libp2p's
   * `maxConnections`.
   *
   * @default DEFAULTS.connections.high
   */
  high?: number | undefined

  /**
   * Milliseconds for which a new connection stays open, used or not.
   *
   * @default DEFAULTS.connections.graceMs
   */
  graceMs?: number | undefined
}

/** The options with their defaults. */
export type ConnectionSettings = { readonly [K in keyof ConnectionOptions]-?: number }

/** The options of connections. */
export const CONNECTION_OPTIONS: OptionTable<ConnectionOptions> = {
  low: { assert: assertCount, default: 64 },
  high: { assert: assertCount, default: 96 },
  graceMs: { assert: assertGrace, default: 20_000 }
}

function assertGrace(value: unknown, option: string): void {
  const isValid = typeof value === 'number' && value >= 0 && Number.isFinite(value)
  assertThat(isValid, option, 'a number of milliseconds, 0 or more', value)
}

/** Shares of libp2p's `maxConnections`. libp2p refuses newcomers beyond it and reserves no room. */
const LOW_SHARE = 0.55
const HIGH_SHARE = 0.7
const HIGH_TOTAL_SHARE = 0.85
const FULL_TOTAL_SHARE = 0.9

/** @throws TypeError for watermarks that can't be met */
export function assertConnectionOptions(value: unknown, option: string): void {
  assertMembers(value, option, CONNECTION_OPTIONS)
  const { low, high } = connectionSettings(value as ConnectionOptions)
  assertThat(low < high, `${option}.low`, `less than ${option}.high, ${high}`, low)
}

/** Adds the defaults. */
export function connectionSettings(options: ConnectionOptions): ConnectionSettings {
  return withDefaults(options, CONNECTION_OPTIONS) as ConnectionSettings
}

/** A node's watermarks, given libp2p's limit. */
export function watermarksOf(options: ConnectionOptions, maxConnections: number): Watermarks {
  const { low, high, graceMs } = connectionSettings(options)
  const share = (part: number): number => Math.max(1, Math.floor(part * maxConnections))
  return {
    low: Math.min(low, share(LOW_SHARE)),
    high: Math.min(high, share(HIGH_SHARE)),
    lowTotal: share(HIGH_SHARE),
    highTotal: share(HIGH_TOTAL_SHARE),
    fullTotal: Math.max(
      share(HIGH_TOTAL_SHARE),
      Math.min(share(FULL_TOTAL_SHARE), maxConnections - 1)
    ),
    graceMs
  }
}
