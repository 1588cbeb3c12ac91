/** None of the initial peers could be reached. */
export class BootstrapError extends Error {
  static override readonly name = 'BootstrapError'
  override readonly name = 'BootstrapError'

  /** Each address that was tried, with the reason why it failed. */
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

/** One initial peer that could not be reached. */
export interface BootstrapAttempt {
  readonly address: string
  readonly error: Error

  /** What to check, for this reason. */
  readonly check: string
}

/** With `strictClock`: the initial peers' clocks and this machine's are too far apart. */
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

/** The node can not listen on an address: it is taken, or not one of this machine's. */
export class ListenError extends Error {
  static override readonly name = 'ListenError'
  override readonly name = 'ListenError'
}

/**
 * What is kept on disk can't be used: the path is not a directory that can be written to, another
 * process uses it, a newer version wrote it, or it is damaged beyond repair. The message says which,
 * and what to do.
 */
export class DataDirError extends Error {
  static override readonly name = 'DataDirError'
  override readonly name = 'DataDirError'
}

/** The time for a call has run out. */
export class TimeoutError extends Error {
  static override readonly name = 'TimeoutError'
  override readonly name = 'TimeoutError'
}

/**
 * There is too much to do: this node has as much under way as its limits allow, or all peers that
 * could have answered said so. Nothing was stored. Try again later, or with less at once.
 */
export class BusyError extends Error {
  static override readonly name = 'BusyError'
  override readonly name = 'BusyError'
}

/** No peer answered, so that nobody can say whether anything is stored under the key. */
export class UnreachableError extends Error {
  static override readonly name = 'UnreachableError'
  override readonly name = 'UnreachableError'

  /** How many peers were asked and did not answer; 0: none is known. */
  readonly failedPeers: number

  constructor(failedPeers: number) {
    super(
      failedPeers === 0
        ? 'no peer is known that could be asked: the node has not joined, or has lost all its peers'
        : `${failedPeers === 1 ? 'the only peer that was asked has not' : `none of the ${failedPeers} peers that were asked has`} answered: the network can't be reached, or is busier than requestTimeoutMs allows for`
    )
    this.failedPeers = failedPeers
  }
}

/** Whatever was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown })
}
