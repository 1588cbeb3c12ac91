import type { Libp2pEvents, Logger, PeerId, PeerInfo, TypedEventTarget } from '@libp2p/interface'
import { BoundedMap } from '../collections/bounded-map.ts'
import { toError } from '../errors.ts'
import { Alarm } from '../timing/alarm.ts'
import { type Due, DueQueue } from '../timing/due-queue.ts'
import { every } from '../timing/every.ts'

/** Milliseconds between two probes of one peer. */
const PROBE_INTERVAL_MS = 60_000

/** Milliseconds within which a neighbour is probed after it disconnected without a goodbye. */
const PROBE_WITHIN_MS = 1000

/** Milliseconds between two probes of peers that have long been silent. */
export const CHECK_INTERVAL_MS = 120_000

/** Peers whose last probe is remembered. */
const MAX_REMEMBERED = 1024

/** Peers probed at once. */
const MAX_IN_FLIGHT = 4

export interface ProbesInit {
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly log: Logger

  /** Whether the peer is a neighbour of this node. */
  readonly isNeighbour: (peer: PeerId) => boolean

  /** Whether no server is connected. Probes are then less urgent than joining. */
  readonly isLonely: () => boolean

  /** Whether either side sent a goodbye before the disconnect. */
  readonly hasSaidGoodbye: (peer: PeerId) => boolean

  /** The addresses of a peer; undefined if it is no longer known. */
  readonly contactOf: (peer: PeerId) => PeerInfo | undefined

  /** Connects to a peer; rejects if it is unreachable. */
  readonly connect: (contact: PeerInfo) => Promise<void>

  /** Called with each unreachable peer. */
  readonly onDead: (contact: PeerInfo, error: Error) => void

  /** The known peer that has been silent for longest, if that exceeds a limit. */
  readonly stalest: () => PeerInfo | undefined
}

interface DueProbe extends Due {
  readonly peer: PeerId
}

/**
 * Checks whether peers are reachable (N10c). Dials a neighbour once after its connection closed without a goodbye,
 * because a close alone does not prove that the peer is gone. Also dials a known peer from time to time that has
 * long been silent.
 */
export class Probes {
  readonly #init: ProbesInit
  readonly #due = new DueQueue<DueProbe>()
  readonly #probedAtMs = new BoundedMap<string, number>({ maxSize: MAX_REMEMBERED })
  readonly #alarm = new Alarm(() => this.#probeDue())
  #inFlight = 0

  constructor(init: ProbesInit) {
    this.#init = init
  }

  /** Watches disconnects until the signal is aborted. */
  follow(signal: AbortSignal): void {
    const { events, hasSaidGoodbye, isNeighbour, stalest } = this.#init
    events.addEventListener(
      'peer:disconnect',
      ({ detail: peer }) => {
        if (isNeighbour(peer) && !hasSaidGoodbye(peer)) {
          this.schedule(peer, Math.random() * PROBE_WITHIN_MS)
        }
      },
      { signal }
    )
    const check = (): void => {
      const contact = stalest()

      if (contact !== undefined) {
        this.schedule(contact.id, Math.random() * CHECK_INTERVAL_MS)
      }
    }
    every(CHECK_INTERVAL_MS, check, signal)
    signal.addEventListener('abort', () => this.#alarm.stop())
  }

  /** Probes a peer within `withinMs`, but at most once a minute. */
  schedule(peer: PeerId, withinMs: number): void {
    const name = peer.toString()
    const nowMs = performance.now()
    const lastMs = this.#probedAtMs.get(name) ?? Number.NEGATIVE_INFINITY
    const intervalMs = this.#init.isLonely() ? PROBE_WITHIN_MS : PROBE_INTERVAL_MS
    const dueTime = Math.max(nowMs + withinMs, lastMs + intervalMs)

    if (dueTime < (this.#due.get(name)?.dueTime ?? Number.POSITIVE_INFINITY)) {
      this.#due.set({ name, dueTime, peer })
      this.#alarm.within(dueTime - nowMs)
    }
  }

  #probeDue(): void {
    for (const { peer } of this.#due.take(performance.now(), MAX_IN_FLIGHT - this.#inFlight)) {
      void this.#probe(peer)
    }

    const { nextTime } = this.#due

    if (nextTime !== undefined && this.#inFlight < MAX_IN_FLIGHT) {
      this.#alarm.within(nextTime - performance.now())
    }
  }

  async #probe(peer: PeerId): Promise<void> {
    const { connect, contactOf, log, onDead } = this.#init
    const contact = contactOf(peer)

    if (contact === undefined) {
      return
    }

    this.#inFlight++
    this.#probedAtMs.set(peer.toString(), performance.now())

    try {
      await connect(contact)
    } catch (thrown) {
      const error = toError(thrown)
      log('the peer %p is unreachable - %e', peer, error)

      if (error.name !== 'BusyError' && error.name !== 'AbortError') {
        onDead(contact, error)
      }
    } finally {
      this.#inFlight--
      this.#probeDue()
    }
  }
}
