import type { Logger } from '@libp2p/interface'

const ignore = (): void => {}

/** A libp2p logger that writes nothing. */
export const silentLog: Logger = Object.assign(ignore, {
  error: ignore,
  trace: ignore,
  enabled: false,
  newScope: () => silentLog
})
