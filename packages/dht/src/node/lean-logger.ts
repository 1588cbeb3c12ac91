import type { ComponentLogger, Logger } from '@libp2p/interface'
import { defaultLogger, enabled } from '@libp2p/logger'

/** Ends of the names of a logger's parts. */
const PARTS = ['', ':error', ':trace']

/**
 * Creates libp2p's logger, without its weight while nobody reads it: libp2p makes loggers for each connection and each
 * stream, of some 30 objects and 3 KB. Here, one that `DEBUG` does not name is three functions, which look whether it
 * has been enabled since.
 */
export function leanLogger(inner: ComponentLogger = defaultLogger()): ComponentLogger {
  return { forComponent: (name) => loggerFor(name, inner) }
}

function loggerFor(name: string, inner: ComponentLogger): Logger {
  return PARTS.some((part) => enabled(name + part)) ? inner.forComponent(name) : idle(name, inner)
}

function idle(name: string, inner: ComponentLogger): Logger {
  let own: Logger | undefined
  const woken = (): Logger => {
    own ??= inner.forComponent(name)
    return own
  }

  return Object.assign(
    (formatter: unknown, ...args: unknown[]) => {
      if (enabled(name)) {
        woken()(formatter, ...args)
      }
    },
    {
      enabled: false,
      // libp2p, too, decides about traces when it makes a logger.
      trace: ignore,
      error: (formatter: unknown, ...args: unknown[]) => {
        if (enabled(`${name}:error`)) {
          woken().error(formatter, ...args)
        }
      },
      newScope: (scope: string) => loggerFor(`${name}:${scope}`, inner)
    }
  )
}

function ignore(): void {}
