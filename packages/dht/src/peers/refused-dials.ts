import type { AbortOptions } from '@libp2p/interface'
import { BusyError } from '../errors.ts'

/** Milliseconds before a refused dial is repeated; they double with each further refusal. */
const FIRST_RETRY_MS = 50

/** Milliseconds before the last repetition. */
const MAX_RETRY_MS = 1600

const CODES: readonly unknown[] = ['ECONNRESET', 'EPIPE']
const NAMES: readonly string[] = ['ConnectionClosedError', 'MuxerClosedError', 'StreamResetError']
const MESSAGES =
  /ECONNRESET|EPIPE|closed connection during opening|the peer closed the connection|muxer is "clos/

/**
 * Whether a peer is there but takes no connection just now. A node that has no room closes the
 * socket before it says a word, so a reset is all that the dialler sees; or it disconnects again what
 * it has just let in.
 */
export function isRefusal(error: unknown): boolean {
  if (error instanceof AggregateError) {
    return error.errors.some(isRefusal)
  }

  if (!(error instanceof Error)) {
    return false
  }

  const { cause, code, message, name } = error as Error & { code?: unknown }
  const isItself = CODES.includes(code) || NAMES.includes(name) || MESSAGES.test(message)
  return isItself || isRefusal(cause)
}

/** Whether no process listens at any of the addresses dialled: their hosts say so. */
export function isVacancy(error: unknown): boolean {
  if (error instanceof AggregateError) {
    return error.errors.length > 0 && error.errors.every(isVacancy)
  }

  return (
    error instanceof Error &&
    (Reflect.get(error, 'code') === 'ECONNREFUSED' || isVacancy(error.cause))
  )
}

export interface RefusedDialOptions extends AbortOptions {
  /** Called with each refusal. */
  readonly onRefusal?: (error: unknown) => void

  /** From 0 to 1. */
  readonly random?: () => number
}

/**
 * Dials again what was refused, some milliseconds later each time, so that those that were refused
 * together do not come back together (N10d).
 *
 * @throws BusyError when the peer goes on refusing; any other error as it is
 */
export async function retryRefused<T>(
  dial: () => Promise<T>,
  { signal, onRefusal, random = Math.random }: RefusedDialOptions = {}
): Promise<T> {
  for (let waitMs = FIRST_RETRY_MS; ; waitMs *= 2) {
    try {
      return await dial()
    } catch (error) {
      if (!isRefusal(error)) {
        throw error
      }

      onRefusal?.(error)

      if (signal?.aborted || waitMs > MAX_RETRY_MS) {
        throw new BusyError('the peer takes no connections just now', { cause: error })
      }

      await wait(waitMs * (0.5 + random()), signal)
    }
  }
}

async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  const onAbort = (): void => resolve()
  signal?.addEventListener('abort', onAbort)
  await promise
  clearTimeout(timer)
  signal?.removeEventListener('abort', onAbort)
}
