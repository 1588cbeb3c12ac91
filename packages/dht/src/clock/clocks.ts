import type { AbortOptions, Logger, PeerId, TypedEventTarget } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import type { DHTTime } from '@waggle/record'
import {
  CLOCK_ADVICE,
  type ClockReading,
  describeSkew,
  isSkewed,
  median
} from '../clock-reading.ts'
import type { DHTEvents } from '../events.ts'
import { anySignal, timeoutSignal } from '../timing/deadline.ts'
import { askTime, CLOCK_PROTOCOL } from './clock-protocol.ts'

/** Peers whose clocks are compared with ours: enough for a median that no single one can move. */
export const MAX_COMPARED_CLOCKS = 16

/** How often clocks are compared again: they drift, and machines sleep. */
const COMPARE_INTERVAL_MS = 600_000

export interface ClocksInit {
  readonly connectionManager: ConnectionManager
  readonly events: TypedEventTarget<DHTEvents>
  readonly log: Logger
  readonly clock: () => DHTTime
  readonly requestTimeoutMs: number
}

/** A server that we are connected to, and what its clock showed when it was last asked. */
interface ComparedPeer {
  readonly id: PeerId
  reading?: ClockReading | undefined
}

/** Compares this node's clock with those of the servers that it is connected to. */
export class Clocks {
  readonly #init: ClocksInit
  /** The connected servers, those that joined first in front, with what they said if they were asked. */
  readonly #peers = new Map<string, ComparedPeer>()

  constructor(init: ClocksInit) {
    this.#init = init
  }

  /** Compares again from time to time, until the signal is aborted. */
  follow(signal: AbortSignal): void {
    const { events } = this.#init
    events.addEventListener('peer:join', ({ detail }) => this.#onJoin(detail), { signal })
    events.addEventListener('peer:leave', ({ detail }) => this.#peers.delete(detail.toString()), {
      signal
    })
    const comparing = setInterval(() => this.#compareAgain(), COMPARE_INTERVAL_MS)
    comparing.unref?.()
    signal.addEventListener('abort', () => clearInterval(comparing))
  }

  /** Milliseconds by which the peers' clocks are ahead of ours, in the median; undefined if none was asked. */
  get medianSkewMs(): number | undefined {
    const readings = [...this.#peers.values()].map(({ reading }) => reading)
    return median(readings.filter((reading) => reading !== undefined).map(({ skewMs }) => skewMs))
  }

  /** Asks a connected peer for its time. Undefined if it does not tell, as stock peers don't. */
  async compare(peer: PeerId, { signal }: AbortOptions = {}): Promise<ClockReading | undefined> {
    const { connectionManager, clock, requestTimeoutMs } = this.#init
    const within = anySignal(signal, timeoutSignal(requestTimeoutMs))
    const stream = await connectionManager
      .openStream(peer, CLOCK_PROTOCOL, { signal: within })
      .catch(undefinedIfUnsupported)

    try {
      return stream && (await askTime(stream, clock, { signal: within }))
    } catch (error) {
      stream?.abort(error instanceof Error ? error : new Error(String(error)))
      return undefinedIfUnsupported(error)
    }
  }

  #onJoin(id: PeerId): void {
    const peer: ComparedPeer = { id }
    this.#peers.set(id.toString(), peer)

    if (this.#peers.size <= MAX_COMPARED_CLOCKS) {
      this.#compareAndReport(peer)
    }
  }

  /** With those that joined first. */
  #compareAgain(): void {
    for (const peer of [...this.#peers.values()].slice(0, MAX_COMPARED_CLOCKS)) {
      this.#compareAndReport(peer)
    }
  }

  #compareAndReport(peer: ComparedPeer): void {
    this.compare(peer.id).then(
      (reading) => {
        peer.reading = reading

        if (reading !== undefined && isSkewed(reading)) {
          this.#report(peer.id, reading)
        }
      },
      (error) => this.#init.log('could not compare clocks with %p - %e', peer.id, error)
    )
  }

  #report(peerId: PeerId, reading: ClockReading): void {
    const { events, log } = this.#init
    const medianSkewMs = this.medianSkewMs ?? reading.skewMs
    log.error(
      "WARNING: the clock of the peer %p differs from ours: %s. The median of the peers' clocks is %d ms ahead of ours. %s.",
      peerId,
      describeSkew(reading),
      Math.round(medianSkewMs),
      CLOCK_ADVICE
    )
    events.safeDispatchEvent('clock:skew', { detail: { peerId, ...reading, medianSkewMs } })
  }
}

/** A peer that does not speak the protocol tells no time, which is no fault of the connection. */
function undefinedIfUnsupported(error: unknown): undefined {
  if (error instanceof Error && error.name === 'UnsupportedProtocolError') {
    return undefined
  }

  throw error
}
