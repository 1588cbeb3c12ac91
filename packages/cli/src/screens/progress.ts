import type { Context } from '../context.ts'
import type { Progress } from './progress-bar.tsx'

const NO_PROGRESS: Progress = { show() {}, close() {} }

/** Opens a bar on the standard error if that is a terminal, and shows nothing otherwise. */
export async function openProgress({ io, isJson }: Context, what: string): Promise<Progress> {
  const { TERM } = io.env

  if (isJson || io.stderr.isTTY !== true || TERM === 'dumb') {
    return NO_PROGRESS
  }

  const { progressBar } = await import('./progress-bar.tsx')
  return progressBar(io, what)
}
