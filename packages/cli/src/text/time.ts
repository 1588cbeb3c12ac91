import { UsageError } from '../errors.ts'

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const

/**
 * Parses a duration to seconds, from `600`, `90s`, `10m`, `1.5h` or `7d`.
 *
 * @throws UsageError
 */
export function parseDuration(text: string, option: string): number {
  const { amount, unit = 's' } =
    /^(?<amount>\d+(?:\.\d+)?)(?<unit>[smhd])?$/.exec(text)?.groups ?? {}
  const seconds = Number(amount) * SECONDS[unit as keyof typeof SECONDS]

  if (!(seconds > 0)) {
    throw new UsageError(
      `${option} ${text} is not a duration: use seconds, as in 600, or 90s, 10m, 1.5h, 7d`
    )
  }

  return seconds
}

/**
 * Parses a timestamp to Unix seconds, from such a number or a date as `2027-01-31T12:00Z`.
 *
 * @throws UsageError
 */
export function parseMoment(text: string, option: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1000

  if (Number.isNaN(seconds)) {
    throw new UsageError(
      `${option} ${text} is not a timestamp: use Unix seconds, as in 1800000000, or a date, as in 2027-01-31T12:00Z`
    )
  }

  return seconds
}

/** Formats a duration with one number: `3 s`, `5 min`, `2 h`, `30 d`. */
export function shownDuration(seconds: number): string {
  const units = [
    [172_800, 86_400, 'd'],
    [7200, 3600, 'h'],
    [120, 60, 'min']
  ] as const
  const [, size, name] = units.find(([from]) => seconds >= from) ?? [0, 1, 's']
  const amount = seconds / size
  return `${size === 1 && amount < 10 ? Number(amount.toFixed(1)) : Math.round(amount)} ${name}`
}

/** Formats a time by this machine's clock, and how far ahead it is, as in `17:40:12 (in 59 min)`. */
export function shownMoment(unixSeconds: number, now: number): string {
  const date = new Date(unixSeconds * 1000)
  const isToday = date.toDateString() === new Date(now * 1000).toDateString()
  const day = isToday
    ? ''
    : `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} `
  return `${day}${shownClock(unixSeconds)} (in ${shownDuration(unixSeconds - now)})`
}

/** Formats the time of day by this machine's clock, as in `17:40:12`. */
export function shownClock(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(':')
}

function pad(part: number): string {
  return String(part).padStart(2, '0')
}
