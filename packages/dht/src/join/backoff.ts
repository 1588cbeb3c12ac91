/** How long to wait before a peer that failed is tried again; doubles each time. */
export const FIRST_RETRY_MS = 1000

/** Nobody waits longer than this for the next try. */
export const MAX_RETRY_MS = 60_000

/** Nor longer than this while it has no peer at all. */
export const MAX_LONELY_RETRY_MS = 10_000

export interface BackoffOptions {
  /** Whether this node has no peer at all. */
  readonly isLonely: boolean

  /** From 0 to 1. */
  readonly random: number
}

/**
 * Milliseconds until the next try after so many failures in a row. A part of it is left to chance,
 * so that peers which lost each other at the same moment don't all come back at the same moment.
 */
export function backoffMs(failures: number, { isLonely, random }: BackoffOptions): number {
  const longest = isLonely ? MAX_LONELY_RETRY_MS : MAX_RETRY_MS
  return Math.min(FIRST_RETRY_MS * 2 ** failures, longest) * (0.5 + random / 2)
}

/** Resolves after some time, or when the signal is aborted. Keeps no process from ending. */
export async function waited(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) {
    return
  }

  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  timer.unref?.()
  const onAbort = (): void => resolve()
  signal.addEventListener('abort', onAbort)
  await promise
  clearTimeout(timer)
  signal.removeEventListener('abort', onAbort)
}
