import type { Column } from '../interface.ts'
import { figure } from './figure.ts'

/** What stands in the head of a column. */
export function heading({ title, unit }: Column): string {
  return unit === undefined ? title : `${title} (${unit})`
}

/** What stands in a cell. */
export function cellText(cell: string | number | null): string {
  if (cell === null) {
    return '–'
  }

  return typeof cell === 'number' ? figure(cell) : cell
}
