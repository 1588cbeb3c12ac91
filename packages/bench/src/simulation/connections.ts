import { type ConnectedPeer, peersToDisconnect } from '../nodes/internals.ts'
import { distanceOf, type Point } from './points.ts'
import type { Rounds } from './rounds.ts'

/** Waggle's watermarks without the 16 neighbours, which are useless for most keys. */
const WATERMARKS = { low: 48, high: 80, graceMs: 0 }
const NO_LIMIT = Number.POSITIVE_INFINITY
const TOTALS = { lowTotal: NO_LIMIT, highTotal: NO_LIMIT, fullTotal: NO_LIMIT }

/** A client's connections, kept by the same rule as a node's. Its clock counts requests. */
export class SimulatedConnections {
  readonly #own: Point
  readonly #rounds: Rounds
  readonly #peers = new Map<string, ConnectedPeer>()
  #now = 0

  constructor(own: Point, rounds: Rounds) {
    this.#own = own
    this.#rounds = rounds
  }

  isOpen({ id }: { readonly id: object }): boolean {
    return this.#peers.has(String(id))
  }

  /** Dials a node unless it is connected. A dead node has no connections. */
  use({ id, isDead, point }: { id: object; isDead: boolean; point: Point }): void {
    const name = String(id)
    const known = this.#peers.get(name)

    if (known === undefined) {
      this.#rounds.dial()
    }

    if (!isDead) {
      const sharedBits = 52 - Math.floor(Math.log2(distanceOf(this.#own, point) + 1))
      const openedAtMs = known?.openedAtMs ?? ++this.#now
      this.#peers.set(name, {
        ...peer,
        name,
        host: name,
        sharedBits,
        openedAtMs,
        usedAtMs: ++this.#now
      })
      this.#sweep()
    }
  }

  #sweep(): void {
    const watermarks = { ...WATERMARKS, ...TOTALS }

    for (const name of peersToDisconnect([...this.#peers.values()], watermarks, this.#now)) {
      this.#peers.delete(name)
    }
  }
}

const peer = { connections: 1, role: 'server', isNeighbour: false, isBusy: false } as const
