import { ClockTrust } from '../clock/clock-trust.ts'
import { Clocks } from '../clock/clocks.ts'
import { partsOf } from '../kad/node-parts.ts'
import { warn } from '../warn.ts'
import type { ClientParts } from '../wire/protocol-client.ts'
import type { PartsInit } from './service-init.ts'

/** The parts that judge this machine's clock. */
export interface ClockParts {
  readonly clocks: Clocks
  readonly clockTrust: ClockTrust
}

/** Milliseconds before a warning. A node with `strictClock` stops by then, with an error that explains why. */
const WARN_AFTER_MS = 500

/** Creates the parts. Records from disk may seem to have expired because this machine's clock is wrong. */
export function createClockParts(
  { components, events, isRestored, requestTimeoutMs }: PartsInit,
  client: ClientParts,
  lifetime: AbortSignal
): ClockParts {
  const { store } = partsOf(components)
  const clockTrust = new ClockTrust({
    store,
    onWrong(message) {
      const timer = setTimeout(() => warn(message), WARN_AFTER_MS)
      lifetime.addEventListener('abort', () => clearTimeout(timer))
    }
  })
  const log = components.logger.forComponent('waggle:clock')
  lifetime.addEventListener('abort', () => clockTrust.stop())

  if (isRestored) {
    clockTrust.doubt()
  }

  return {
    clockTrust,
    clocks: new Clocks({
      ...client,
      ...{ events, log, clock: store.clock, requestTimeoutMs },
      onMedian: (skewMs, peers) => clockTrust.compare(skewMs, peers)
    })
  }
}
