import type { Context } from '../commands/context.ts'

/** How far something is, where somebody looks at a terminal. */
export interface Progress {
  /** So many are done; `fraction` is from 0 to 1, if it is known. */
  show(done: number, fraction: number | undefined): void
  close(): void
}

const NOBODY_LOOKS: Progress = { show() {}, close() {} }

/** A bar below the standard error, if that is a terminal; else nothing. */
export async function openProgress({ io, isJson }: Context, what: string): Promise<Progress> {
  const { TERM } = io.env

  if (isJson || io.stderr.isTTY !== true || TERM === 'dumb') {
    return NOBODY_LOOKS
  }

  const { progressBar } = await import('./progress-bar.tsx')
  return progressBar(io, what)
}
