import type { AbortOptions, Logger, PeerId, TypedEventTarget } from '@libp2p/interface'
import type { DHTTime } from '@waggle/record'
import { raceSignal } from 'race-signal'
import {
  CLOCK_ADVICE,
  type ClockReading,
  clockReading,
  describeSkew,
  isSkewed,
  isTelling,
  median
} from '../clock-reading.ts'
import type { DHTEvents } from '../events.ts'
import { every } from '../timing/every.ts'
import { inTime } from '../timing/in-time.ts'
import { type ClientParts, ProtocolClient } from '../wire/protocol-client.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import type { RequestProtocol } from '../wire/request-protocol.ts'
import {
  CLOCK,
  CLOCK_PROTOCOL,
  type ClockMessage,
  MAX_CLOCK_MESSAGE_BYTES
} from './clock-messages.ts'

/** Peers whose clocks are compared with this node's. Two of them cannot move the median. */
export const MAX_COMPARED_CLOCKS = 5

/** Milliseconds between comparisons: clocks drift, and machines sleep. */
const COMPARE_INTERVAL_MS = 600_000

export interface ClocksInit extends ClientParts {
  readonly events: TypedEventTarget<DHTEvents>
  readonly log: Logger
  readonly clock: () => DHTTime
  readonly requestTimeoutMs: number

  /** Called with each median: the milliseconds by which `peers` clocks are ahead of this node's. */
  readonly onMedian?: (medianSkewMs: number, peers: number) => void
}

/** A server that is or was connected, with its last reading. */
interface ComparedPeer {
  readonly id: PeerId
  isConnected: boolean
  isAsked: boolean
  reading?: ClockReading | undefined
}

/** Compares this node's clock with the clocks of connected servers. */
export class Clocks {
  readonly #init: ClocksInit
  readonly #client: ProtocolClient<null, ClockReading, ClockMessage>

  /** Peers in the order in which they connected. */
  readonly #peers = new Map<string, ComparedPeer>()

  constructor(init: ClocksInit) {
    this.#init = init
    this.#client = new ProtocolClient({
      ...init,
      id: CLOCK_PROTOCOL,
      streamLimits: { maxMessageBytes: MAX_CLOCK_MESSAGE_BYTES },
      speak: () => clockRequests(init.clock)
    })
  }

  /** Compares clocks regularly, until the signal is aborted. */
  follow(signal: AbortSignal): void {
    const { events } = this.#init
    events.addEventListener('peer:connect', ({ detail }) => this.#onConnect(detail), { signal })
    events.addEventListener(
      'peer:disconnect',
      ({ detail }) => this.#onDisconnect(detail.toString()),
      { signal }
    )
    every(COMPARE_INTERVAL_MS, () => this.compareAgain(), signal)
  }

  /** Median of the milliseconds by which peers' clocks are ahead of ours; undefined without a reading. */
  get medianSkewMs(): number | undefined {
    return median(this.#readings.map(({ skewMs }) => skewMs))
  }

  get #readings(): ClockReading[] {
    const readings = [...this.#peers.values()].map(({ reading }) => reading)
    return readings.filter((reading) => reading !== undefined)
  }

  /** Requests a connected peer's time. Resolves to undefined if the peer lacks the protocol. */
  compare(peer: PeerId, { signal }: AbortOptions = {}): Promise<ClockReading | undefined> {
    const asked = this.#client.request<ClockReading | undefined>(
      { id: peer, multiaddrs: [] },
      null,
      { onResponse: (reading) => reading, fallback: () => undefined }
    )
    return raceSignal(inTime(asked, this.#init.requestTimeoutMs), signal)
  }

  /** Compares with the connected peers that connected first. A comparison does not justify a dial. */
  compareAgain(): void {
    const peers = [...this.#peers.values()].filter(({ isConnected }) => isConnected)
    this.#peers.clear()

    for (const { id } of peers) {
      this.#peers.set(id.toString(), { id, isConnected: true, isAsked: false })
    }

    for (const peer of [...this.#peers.values()].slice(0, MAX_COMPARED_CLOCKS)) {
      this.#compareAndReport(peer)
    }
  }

  /** Ends all streams. */
  close(): void {
    this.#client.close()
  }

  #onConnect(id: PeerId): void {
    const name = id.toString()
    const peer: ComparedPeer = this.#peers.get(name) ?? { id, isConnected: true, isAsked: false }
    const isKnown = this.#peers.has(name)
    peer.isConnected = true
    this.#peers.set(name, peer)

    if (!isKnown && this.#compared < MAX_COMPARED_CLOCKS) {
      this.#compareAndReport(peer)
    }
  }

  /** Keeps the reading of a peer that disconnects: its clock does not depend on the connection. */
  #onDisconnect(name: string): void {
    const peer = this.#peers.get(name)

    if (peer?.reading === undefined) {
      this.#peers.delete(name)
    } else {
      peer.isConnected = false
    }
  }

  /** Counts the peers with a reading. */
  get #compared(): number {
    return [...this.#peers.values()].filter(({ isAsked }) => isAsked).length
  }

  #compareAndReport(peer: ComparedPeer): void {
    peer.isAsked = true
    this.compare(peer.id).then(
      (reading) => {
        if (reading !== undefined && isTelling(reading)) {
          peer.reading = reading
          this.#init.onMedian?.(this.medianSkewMs ?? reading.skewMs, this.#readings.length)
        } else if (reading !== undefined) {
          // Another peer may be asked in its place.
          peer.isAsked = false
        }

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

/** Builds the client side of the clock protocol. A response's time is measured from the moment of sending. */
export function clockRequests(
  clock: () => DHTTime
): RequestProtocol<null, ClockReading, ClockMessage> {
  return {
    codec: CLOCK,
    sizeOf: () => 1,
    isAlike: () => true,
    messageOf: () => ({ name: 'ask' }),
    responsesOf(message, { requests, sentMs }) {
      if (message.name !== 'tell') {
        throw new ProtocolViolationError('the peer requests the time instead of sending it')
      }

      const tookMs = performance.now() - sentMs
      const askedAt = clock() - tookMs / 1000
      const reading = clockReading({ askedAt, tookMs, peerTime: message.time })
      return requests.map(() => reading)
    },
    isIdle: () => true
  }
}
