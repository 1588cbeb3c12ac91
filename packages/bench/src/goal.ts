import type { Goal } from './interface.ts'

export interface Check {
  /** What was measured; undefined where it was not. */
  readonly value: number | undefined

  /** Whether it is good enough. */
  readonly isGood: (value: number) => boolean
  readonly show: (value: number) => string

  /** Why it was not measured. */
  readonly otherwise?: string
}

/** A goal, and whether what was measured meets it. */
export function goal(text: string, { value, isGood, show, otherwise }: Check): Goal {
  return value === undefined
    ? { text, measured: otherwise ?? 'not measured', isMet: undefined }
    : { text, measured: show(value), isMet: isGood(value) }
}
