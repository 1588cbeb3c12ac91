import { AbortError } from '@libp2p/interface'
import type { DHTTime } from '@waggle/record'
import { lastExpiration } from '@waggle/record/replica'
import { BusyError, UnreachableError } from '../errors.ts'
import type { CallOptions } from '../timing/calls.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { wait } from '../timing/wait.ts'
import { type Publications, retryPause } from './publications.ts'
import { isNotStored } from './store-report.ts'
import type { Written } from './writer.ts'

export interface Retrying {
  /** @default false */
  readonly retry?: boolean | undefined
  readonly cancellation: CancellationToken

  /** Hears of peers that connect. */
  readonly publications: Pick<Publications, 'whenPeer'>
  readonly store: { readonly clock: () => DHTTime }
}

/** The options of a call that tries again for as long as it may. */
export function patient(options: CallOptions & Pick<Retrying, 'retry'>): CallOptions {
  const { retry, timeoutMs } = options
  return retry === true && timeoutMs === undefined
    ? { ...options, timeoutMs: Number.POSITIVE_INFINITY }
    : options
}

/** Writes, and tries again with `retry` until a replica has the write or its time is over. */
export function retrying(retries: Retrying, attempt: () => Promise<Written>): Promise<Written> {
  return retries.retry === true ? keepTrying(retries, attempt) : attempt()
}

async function keepTrying(
  { cancellation, publications, store }: Retrying,
  attempt: () => Promise<Written>
): Promise<Written> {
  for (let failures = 0; ; failures++) {
    // A peer that connects during the attempt may take what the others did not.
    const arrival = publications.whenPeer()
    const written = await attempt().catch(forgiven)

    if (written !== undefined && !isNotStored(written.outcome)) {
      return written
    }

    const until = written ? lastExpiration(written.write.record) : Number.POSITIVE_INFINITY
    assertGoesOn(cancellation)
    await pause(Math.min(retryPause(failures), until - store.clock()), arrival)
    assertGoesOn(cancellation)

    if (written !== undefined && until <= store.clock()) {
      return { ...written, outcome: 'expired' }
    }
  }
}

/** Waits for some seconds, or until something else happens. */
async function pause(seconds: number, event: Promise<void>): Promise<void> {
  const pausing = new AbortController()
  await Promise.race([wait(seconds * 1000, pausing.signal), event])
  pausing.abort()
}

/** @throws AbortError when nobody waits for the call any more */
function assertGoesOn({ isCancelled }: CancellationToken): void {
  if (isCancelled) {
    throw new AbortError('the call has ended')
  }
}

/** Takes a lack of answers for a failure to be retried. */
function forgiven(error: unknown): undefined {
  if (!(error instanceof UnreachableError || error instanceof BusyError)) {
    throw error
  }
}
