import type { AbortOptions } from '@libp2p/interface'
import { BusyError } from '../errors.ts'
import { doubled } from '../timing/doubling.ts'
import { wait } from '../timing/wait.ts'

/** Milliseconds before a refused dial is repeated. They double with each further refusal. */
const FIRST_RETRY_MS = 50

/**
 * Maximum milliseconds between two dials: a peer that waits longer comes after all that arrive meanwhile.
 */
const MAX_RETRY_MS = 400

/** Milliseconds of waiting, in all, after which a peer counts as busy. */
const PATIENCE_MS = 3000

/** Milliseconds after the first refusal after which another one is the last, however long the peer takes to refuse. */
const MAX_REFUSING_MS = 10_000

const CODES: readonly unknown[] = ['ECONNRESET', 'EPIPE']
const NAMES: readonly string[] = ['ConnectionClosedError', 'MuxerClosedError', 'StreamResetError']
const MESSAGES =
  /ECONNRESET|EPIPE|closed connection during opening|the peer closed the connection|muxer is "clos/

/**
 * Whether a reachable peer accepts no connection at the moment. A node without room closes the socket before it
 * sends anything, which the dialler sees as a reset; or it disconnects a peer that it has just accepted.
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

/** Whether no process listens at any of the dialled addresses, according to their hosts. */
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

  /** Random number from 0 to 1. */
  readonly random?: () => number
}

/**
 * Repeats refused dials after growing, random delays, so that diallers refused at the same moment do not retry at
 * the same moment (N10d).
 *
 * @throws BusyError when the peer keeps refusing; any other error as it is
 */
export async function retryRefused<T>(
  dial: (refusals: number) => Promise<T>,
  { signal, onRefusal, random = Math.random }: RefusedDialOptions = {}
): Promise<T> {
  let waitedMs = 0
  let endMs = Number.POSITIVE_INFINITY

  for (let refusals = 0; ; refusals++) {
    try {
      return await dial(refusals)
    } catch (error) {
      if (!isRefusal(error)) {
        throw error
      }

      onRefusal?.(error)
      const nowMs = performance.now()
      endMs = Math.min(endMs, nowMs + MAX_REFUSING_MS)

      if (signal?.aborted || waitedMs >= PATIENCE_MS || nowMs >= endMs) {
        throw new BusyError('the peer accepts no connections at the moment', { cause: error })
      }

      const waitMs = doubled(FIRST_RETRY_MS, refusals, MAX_RETRY_MS)
      waitedMs += waitMs
      await wait(waitMs * (0.5 + random()), signal, { keepsAlive: true })
    }
  }
}
