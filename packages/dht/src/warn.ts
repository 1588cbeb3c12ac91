import type { ComponentLogger, Logger } from '@libp2p/interface'

/** Warns the operator of the process through the log and, as Node prints warnings, on stderr. */
export function warn(message: string, log?: Logger): void {
  log?.error(message)
  globalThis.process?.emitWarning?.(message, 'WaggleWarning')
}

/**
 * Makes a function that warns once that a library's private parts are unknown, so that it is used without Waggle's
 * additions.
 */
export function fallbackWarning(
  library: string,
  loss: string,
  logger?: ComponentLogger
): () => void {
  let isTold = false

  return () => {
    if (!isTold) {
      isTold = true
      warn(
        `this version of ${library} is not built as Waggle expects, and is used as it is: ${loss}`,
        logger?.forComponent('waggle:fallback')
      )
    }
  }
}
