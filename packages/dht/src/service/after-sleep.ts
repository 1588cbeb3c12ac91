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
import { SleepDetector } from '../timing/sleep-detector.ts'
import type { Upkeep } from '../upkeep/upkeep.ts'
import type { Watches } from '../watch/watches.ts'
import type { WaggleComponents } from './service-interface.ts'

/** Milliseconds for a response after a sleep. */
const PING_TIMEOUT_MS = 3000

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
    clocks: () => ({ wallMs: clock() * 1000, processMs: performance.now() }),
    onStep: (steppedMs) => {
      log('the clock has jumped by %d ms', Math.round(steppedMs))
      clockTrust.doubt()
      clocks.compareAgain()
    },
    onWake: (sleptMs) => {
      log('this node slept for %d ms', Math.round(sleptMs))
      catchUp(init, sleptMs).catch((error) => log('could not catch up after a sleep - %e', error))
    }
  })
}

/**
 * Checks which connections outlived the sleep, and then fetches missed changes. Other peers restore the rest: they
 * dial a neighbour that disconnected without a goodbye.
 */
async function catchUp(init: AfterSleepInit, sleptMs: number): Promise<void> {
  const { caches, events, liveness, publications, replicas, routing, upkeep, watches } = init
  replicas.known.doubt(DOUBT_MS)
  routing.unsettle()

  for (const cache of caches) {
    cache?.markAllOld()
  }

  events.safeDispatchEvent('node:wake', { detail: { sleptMs } })
  await liveness.checkAll(PING_TIMEOUT_MS)
  watches.renewAll()
  await Promise.all([publications.runAll(), upkeep.refresh()])
}
