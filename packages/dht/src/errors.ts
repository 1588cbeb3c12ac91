/** Thrown when no initial peer could be reached. */
export class BootstrapError extends Error {
  static override readonly name = 'BootstrapError'
  override readonly name = 'BootstrapError'

  /** Each dialled address, and why it failed. */
  readonly attempts: readonly BootstrapAttempt[]

  constructor(attempts: readonly BootstrapAttempt[]) {
    const lines = attempts.map(
      ({ address, error, check }) => `  ${address}: ${error.message}\n    ${check}`
    )
    const who =
      attempts.length === 1
        ? 'the initial peer could not'
        : `none of the ${attempts.length} initial peers could`
    super(
      `${who} be reached:\n${lines.join('\n')}\n` +
        'Check that one of them runs and that this machine can connect to it, or pass requireBootstrap: false to start alone and keep trying.'
    )
    this.attempts = attempts
  }
}

/** An initial peer that could not be reached. */
export interface BootstrapAttempt {
  readonly address: string
  readonly error: Error

  /** Advice for this reason. */
  readonly check: string
}

/** Thrown with `strictClock` when the initial peers' clocks and this machine's are too far apart. */
export class ClockSkewError extends Error {
  static override readonly name = 'ClockSkewError'
  override readonly name = 'ClockSkewError'

  /** Milliseconds by which the peer's clock is ahead of ours; negative if it is behind. */
  readonly skewMs: number

  constructor(message: string, { skewMs }: { skewMs: number }) {
    super(message)
    this.skewMs = skewMs
  }
}

/** Thrown when the node can't listen on an address, which is taken or not one of this machine's. */
export class ListenError extends Error {
  static override readonly name = 'ListenError'
  override readonly name = 'ListenError'
}

/**
 * Thrown when the data directory can't be used: it is no directory that can be written to, another
 * process uses it, a newer version wrote it, or it is damaged beyond repair. The message says which,
 * and what to do.
 */
export class DataDirError extends Error {
  static override readonly name = 'DataDirError'
  override readonly name = 'DataDirError'
}

/** Thrown when a call takes longer than its `timeoutMs`. */
export class TimeoutError extends Error {
  static override readonly name = 'TimeoutError'
  override readonly name = 'TimeoutError'

  /** Of `getMany` and `storeMany`: what is known by then of each item, in their order. */
  results?: readonly PromiseSettledResult<unknown>[] | undefined
}

/** Thrown by `getMany`, once it has tried everything, when some keys could not be read. */
export class NotReadError<T = unknown> extends Error {
  static override readonly name = 'NotReadError'
  override readonly name = 'NotReadError'

  /** What was found under each key, or why nothing was, in the order of the keys. */
  readonly results: readonly PromiseSettledResult<T>[]

  constructor(results: readonly PromiseSettledResult<T>[]) {
    const failed = results.filter((result) => result.status === 'rejected')
    const cause = failed[0]?.reason
    super(
      `${failed.length} of ${results.length} keys could not be read: ${toError(cause).message}`,
      {
        cause
      }
    )
    this.results = results
  }
}

/**
 * Thrown on overload: this node has as many calls in flight as its limits allow, or all peers that
 * could have answered are busy. Nothing was stored. Try again later, or with less at once.
 */
export class BusyError extends Error {
  static override readonly name = 'BusyError'
  override readonly name = 'BusyError'
}

/** Makes the error for a call for which so many peers had no time, and no other one could respond. */
export function busyError(numBusy: number): BusyError {
  return new BusyError(`no peer that could responded, and ${numBusy} had too much to do`)
}

/**
 * Thrown when too few of the servers nearest to a key answered, so that it is not known whether anything
 * is stored under it.
 */
export class UnreachableError extends Error {
  static override readonly name = 'UnreachableError'
  override readonly name = 'UnreachableError'

  /** Peers that were asked and did not answer. 0 without respondents: no peer is known. */
  readonly failedPeers: number

  /** Peers that answered, and hold nothing. */
  readonly respondedPeers: number

  constructor(failedPeers: number, respondedPeers = 0) {
    super(unreachableMessage(failedPeers, respondedPeers))
    this.failedPeers = failedPeers
    this.respondedPeers = respondedPeers
  }
}

function unreachableMessage(failed: number, responded: number): string {
  if (responded > 0) {
    return `too few of the servers nearest to the key answered to tell whether anything is stored under it: ${responded} did and hold nothing, ${failed} did not answer`
  }

  if (failed === 0) {
    return 'no peer is known that could be asked: the node has not joined, or has lost all its peers'
  }

  const silent =
    failed === 1
      ? 'the only peer that was asked has not'
      : `none of the ${failed} peers that were asked has`
  return `${silent} answered: the network can't be reached, or is busier than requestTimeoutMs allows for`
}

/** Turns a thrown value into an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown })
}
