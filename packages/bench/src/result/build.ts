import { figure } from './figure.ts'
import type { Cell, Goal, Table } from './result.ts'

/** Columns of a table by their headings: a property of the row, or a function of it. */
export type Columns<R> = Readonly<Record<string, keyof R | ((row: R) => Cell | undefined)>>

/** Builds a table with one row per item. */
export function tableOf<R extends object>(
  title: string,
  rows: readonly R[],
  columns: Columns<R>
): Table {
  return {
    title,
    columns: Object.keys(columns),
    rows: rows.map((row) =>
      Object.values(columns).map((column) => {
        const cell = typeof column === 'function' ? column(row) : row[column]
        return (cell ?? null) as Cell
      })
    )
  }
}

/** Makes columns of properties whose names are their headings. */
export function same<K extends string>(...names: readonly K[]): Record<K, K> {
  return Object.fromEntries(names.map((name) => [name, name])) as Record<K, K>
}

/** Builds a goal. A text in place of the value is the reason why it was not measured. */
export function goal(
  text: string,
  value: number | string | undefined,
  isGood: (value: number) => boolean,
  show: (value: number) => string = figure
): Goal {
  return typeof value === 'number'
    ? { text, measured: show(value), isMet: isGood(value) }
    : { text, measured: value ?? 'not measured', isMet: undefined }
}

/** Builds a goal that a count of unwanted events is zero. */
export function none(text: string, count: number | string | undefined, outOf?: number): Goal {
  const all = outOf === undefined ? '' : ` of ${figure(outOf)}`
  return goal(text, count, atMost(0), (value) => `${figure(value)}${all}`)
}

/** Builds a goal that all counted items are right. */
export function all(text: string, right: number, outOf: number): Goal {
  return { text, measured: `${figure(right)} of ${figure(outOf)}`, isMet: right === outOf }
}

export function atMost(limit: number): (value: number) => boolean {
  return (value) => value <= limit
}

export function atLeast(limit: number): (value: number) => boolean {
  return (value) => value >= limit
}

/** Formats milliseconds. */
export function ms(value: number): string {
  return `${figure(value)} ms`
}

/** Converts bytes to megabytes. */
export function megabytes(bytes: number): number {
  return bytes / 1e6
}
