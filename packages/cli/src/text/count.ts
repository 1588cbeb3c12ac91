import { UsageError } from '../errors.ts'

/**
 * Parses an integer of at least `least`.
 *
 * @throws UsageError
 */
export function parseCount(text: string, option: string, least = 1): number {
  const count = Number(text)

  if (text.trim() === '' || !Number.isInteger(count) || count < least) {
    throw new UsageError(`${option} must be an integer of at least ${least}, not ${text}`)
  }

  return count
}

/**
 * Parses a TCP port; 0 means any free port.
 *
 * @throws UsageError
 */
export function parsePort(
  text: string,
  option: string,
  { from = 0, upTo = 65_535 }: { readonly from?: number; readonly upTo?: number } = {}
): number {
  const port = parseCount(text, option, from)

  if (port > upTo) {
    throw new UsageError(`${option} must be a port up to ${upTo}, not ${text}`)
  }

  return port
}

/** Formats a size, as in `1.2 MiB`. */
export function shownBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB']
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1)
  const amount = bytes / 1024 ** power
  return `${power === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${units[power]}`
}

/** Formats a count with its digits in groups, as in `12,345`. */
export function shownCount(count: number): string {
  return count.toLocaleString('en')
}

/** Formats a count with its noun, as in `1 key`, `2 keys`, `12,345 entries`. */
export function counted(count: number, thing: string, things = `${thing}s`): string {
  return `${shownCount(count)} ${count === 1 ? thing : things}`
}
