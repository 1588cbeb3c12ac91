import type { TypedEventTarget } from '@libp2p/interface'
import type { DHTTime } from '@waggle/record'
import type { ClockTrust } from '../clock/clock-trust.ts'
import type { Clocks } from '../clock/clocks.ts'
import type { Liveness } from '../connections/liveness.ts'
import type { DHTEvents } from '../events.ts'
import type { Publications } from '../operations/publications.ts'
import type { KnownPeers } from '../peers/known-peers.ts'
import type { Replicas } from '../reading/replicas.ts'
import type { RecordStore } from '../store/record-store.ts'
import { SleepDetector, type Wake } from '../timing/sleep-detector.ts'
import type { Upkeep } from '../upkeep/upkeep.ts'
import type { Watches } from '../watch/watches.ts'
import type { WaggleComponents } from './service-interface.ts'

/**
 * Milliseconds of a sleep after which connections are tested. Routers remember a connection for longer, and a peer that
 * closes one tells this node as soon as it runs again. A process that collects garbage or waits for a busy machine is
 * held up for less.
 */
export const MIN_TESTED_SLEEP_MS = 30_000

/**
 * Milliseconds after a sleep in which reads query other peers first: these may have replaced this node's records.
 */
export const DOUBT_MS = 30_000

/** The parts of a node that a sleep affects. */
export interface AfterSleepInit {
  readonly clock: () => DHTTime
  readonly clocks: Pick<Clocks, 'compareAgain'>
  readonly clockTrust: Pick<ClockTrust, 'doubt'>
  readonly events: TypedEventTarget<DHTEvents>
  readonly liveness: Pick<Liveness, 'checkAll'>
  readonly replicas: Pick<Replicas, 'known'>

  /** Records whose age nobody knows after a sleep. */
  readonly caches: readonly (RecordStore | undefined)[]
  readonly publications: Pick<Publications, 'runAll'>
  readonly routing: Pick<KnownPeers, 'unsettle'>
  readonly upkeep: Pick<Upkeep, 'refresh'>
  readonly watches: Pick<Watches, 'renewAll'>
}

/** Creates a detector of sleeps and of clock jumps, after which it brings the node up to date (N8l). */
export function sleepDetector(
  { logger }: Pick<WaggleComponents, 'logger'>,
  init: AfterSleepInit
): SleepDetector {
  const { clock, clocks, clockTrust } = init
  const log = logger.forComponent('waggle:sleep')
  return new SleepDetector({
    clocks: () => ({
      wallMs: clock() * 1000,
      processMs: performance.now(),
      workedMs: processorMs()
    }),
    onStep: (steppedMs) => {
      log('the clock has jumped by %d ms', Math.round(steppedMs))
      clockTrust.doubt()
      clocks.compareAgain()
    },
    onWake: (wake) => {
      log('this node slept for %d ms', Math.round(wake.sleptMs))
      catchUp(init, wake).catch((error) => log('could not catch up after a sleep - %e', error))
    }
  })
}

/** Processor time of this process so far; 0 in a browser, which does not tell. */
function processorMs(): number {
  const { user = 0, system = 0 } = globalThis.process?.cpuUsage?.() ?? {}
  return (user + system) / 1000
}

/** Whether connections may have been lost unnoticed: not by a short stall of the process, as of one with much to do. */
export function mayHaveLostConnections({ isReported, sleptMs }: Wake): boolean {
  return isReported || sleptMs >= MIN_TESTED_SLEEP_MS
}

/**
 * Checks which connections outlived the sleep, and then fetches missed changes. Other peers restore the rest: they
 * dial a neighbour that disconnected without a goodbye.
 */
async function catchUp(init: AfterSleepInit, wake: Wake): Promise<void> {
  const { caches, events, liveness, publications, replicas, routing, upkeep, watches } = init
  replicas.known.doubt(DOUBT_MS)
  routing.unsettle()

  for (const cache of caches) {
    cache?.markAllOld()
  }

  events.safeDispatchEvent('node:wake', { detail: { sleptMs: wake.sleptMs } })
  await (mayHaveLostConnections(wake) && liveness.checkAll())
  watches.renewAll()
  await Promise.all([publications.runAll(), upkeep.refresh()])
}
