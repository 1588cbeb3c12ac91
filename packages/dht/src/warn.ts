import type { Logger } from '@libp2p/interface'

/** Tells whoever runs the process, whether or not they listen to the log: Node prints it. */
export function warn(message: string, log: Logger): void {
  log.error(message)
  globalThis.process?.emitWarning?.(message, 'WaggleWarning')
}
