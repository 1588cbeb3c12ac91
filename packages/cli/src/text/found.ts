import type { Found, Key, Value } from '@waggle/record'
import type { Json } from './json.ts'
import type { Paint } from './paint.ts'
import { shownMoment } from './time.ts'
import { jsonOf, shown } from './value-text.ts'

/** Formats a value for programs. A dictionary becomes a list, because its subkeys may be other than text. */
export function foundJson(key: Key, { value, expirationTime }: Found): Json {
  if (!(value instanceof Map)) {
    return { key: jsonOf(key), value: jsonOf(value as Value), expirationTime }
  }

  return {
    key: jsonOf(key),
    entries: [...value].map(([subkey, entry]) => ({
      subkey: jsonOf(subkey),
      value: jsonOf(entry.value),
      expirationTime: entry.expirationTime
    })),
    expirationTime
  }
}

/** Formats a value for people: as it can be typed, or with one line per subkey. */
export function foundText({ value }: Found, now: number, paint: Paint): string {
  if (!(value instanceof Map)) {
    return shown(value as Value)
  }

  const rows = [...value].map(([subkey, entry]) => ({
    subkey: shown(subkey),
    value: shown(entry.value),
    until: shownMoment(entry.expirationTime, now)
  }))
  const width = Math.max(...rows.map(({ subkey }) => subkey.length))
  return rows
    .map(
      (row) =>
        `${paint('name', row.subkey.padEnd(width))}  ${row.value}  ${paint('faint', `until ${row.until}`)}`
    )
    .join('\n')
}
