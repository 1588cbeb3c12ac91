import { raceSignal } from 'race-signal'
import type { Contact, Routing } from '../interface.ts'
import type { Point } from '../lookup/key-space.ts'
import type { KadInternals } from './internals.ts'

/** kad-dht's routing table as the place where searches begin. */
export class KadRouting implements Routing {
  readonly #table: KadInternals['routingTable']

  constructor({ routingTable }: KadInternals) {
    this.#table = routingTable
  }

  nearest(target: Point, count: number): Contact[] {
    return this.#table.closestPeers(target, { count }).map((id) => ({ id, multiaddrs: [] }))
  }

  /** Resolves once there is a peer in the table; rejects with the signal's reason. */
  async whenNotEmpty(signal: AbortSignal): Promise<void> {
    if (this.#table.size > 0) {
      return
    }

    const { promise, resolve } = Promise.withResolvers<void>()
    const onAdded = (): void => resolve()
    this.#table.addEventListener('peer:add', onAdded)

    try {
      await raceSignal(promise, signal)
    } finally {
      this.#table.removeEventListener('peer:add', onAdded)
    }
  }
}
