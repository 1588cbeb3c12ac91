import type { Found, Key, Subkey, Value } from '@waggle/record'
import { subkeyId } from '@waggle/record/replica'
import type { Json } from '../text/json.ts'
import type { Paint } from '../text/paint.ts'
import { shownMoment } from '../text/time.ts'
import { jsonOf, shown } from '../text/value-text.ts'

/** What a dictionary holds under a subkey; undefined if it is none, or has none such. */
export function placeIn(found: Found | undefined, subkey: Subkey): Found<Value> | undefined {
  if (!(found?.value instanceof Map)) {
    return undefined
  }

  const id = subkeyId(subkey)
  return [...found.value].find(([other]) => subkeyId(other) === id)?.[1]
}

/** What is stored under a key, for programs. A dictionary is a list, as its subkeys may be anything. */
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

/** The same for people: a value as it can be typed, or a line for each subkey. */
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
