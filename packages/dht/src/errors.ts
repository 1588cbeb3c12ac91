/** Thrown when no initial peer could be reached. */
export class BootstrapError extends Error {
  static override readonly name = 'BootstrapError'
  override readonly name = 'BootstrapError'

  /** Each dialled address, with the reason of its failure. */
  readonly attempts: readonly BootstrapAttempt[]

  constructor(attempts: readonly BootstrapAttempt[]) {
    const lines = attempts.map(
      ({ address, error, check }) => `  ${address}: ${error.message}\n    ${check}`
    )
    const [failure, peer] =
      attempts.length === 1
        ? ['the initial peer could not', 'it']
        : [`none of the ${attempts.length} initial peers could`, 'one of them']
    super(
      `${failure} be reached:\n${lines.join('\n')}\n` +
        `Check that ${peer} runs and that this machine can connect to it, or pass requireBootstrap: false to start alone and keep trying.`
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
 * Thrown when the data directory can't be used: it is not a writable directory, another process uses it,
 * a newer version wrote it, or it is damaged beyond repair. The message has the reason and advice.
 */
export class DataDirError extends Error {
  static override readonly name = 'DataDirError'
  override readonly name = 'DataDirError'
}

/** Thrown when a call takes longer than its `timeoutMs`. */
export class TimeoutError extends Error {
  static override readonly name = 'TimeoutError'
  override readonly name = 'TimeoutError'

  /** Results of `getMany` and `storeMany` at the timeout, in the order of the items. */
  results?: readonly PromiseSettledResult<unknown>[] | undefined
}

/** Thrown by `getMany`, once it has tried everything, when some keys could not be read. */
export class NotReadError<T = unknown> extends Error {
  static override readonly name = 'NotReadError'
  override readonly name = 'NotReadError'

  /** The result for each key, or the error, in the order of the keys. */
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
 * Thrown on overload: this node has as many calls in flight as its limits allow, or all available peers
 * are busy. Nothing was stored. Try again later, or with fewer calls at once.
 */
export class BusyError extends Error {
  static override readonly name = 'BusyError'
  override readonly name = 'BusyError'
}

/** Makes the error of a call for which `numBusy` peers were busy, and no other one responded. */
export function busyError(numBusy: number): BusyError {
  const busy = numBusy === 1 ? '1 was busy' : `${numBusy} were busy`
  return new BusyError(
    `no peer gave an answer, and ${busy}: try again, or make fewer calls at once`
  )
}

/**
 * Thrown when too few of the servers nearest to a key answered, so it is unknown whether the key
 * has a value.
 */
export class UnreachableError extends Error {
  static override readonly name = 'UnreachableError'
  override readonly name = 'UnreachableError'

  /** Number of peers that were queried and did not respond. 0 without respondents: no peer is known. */
  readonly failedPeers: number

  /** Peers that answered, and hold nothing. */
  readonly respondedPeers: number

  /** @param isWithoutServers - whether only pages responded, which hold copies (N15) */
  constructor(failedPeers: number, respondedPeers = 0, isWithoutServers = false) {
    super(isWithoutServers ? WITHOUT_SERVERS : unreachableMessage(failedPeers, respondedPeers))
    this.failedPeers = failedPeers
    this.respondedPeers = respondedPeers
  }
}

const WITHOUT_SERVERS =
  'no server of the network can be reached, and the pages that stand in for them have no copy of a value'

function unreachableMessage(failed: number, responded: number): string {
  if (responded > 0) {
    return `too few of the servers nearest to the key responded to determine whether it has a value: ${responded} responded and have none, ${failed} did not respond`
  }

  if (failed === 0) {
    return 'no peer is known: the node has not joined, or has lost all its peers'
  }

  const silent =
    failed === 1 ? 'the only queried peer has not' : `none of the ${failed} queried peers has`
  return `${silent} responded: the network can't be reached, or is busier than requestTimeoutMs allows for`
}

/** Converts a thrown value to an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown })
}

/** Whether an error of the operating system has a code. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
