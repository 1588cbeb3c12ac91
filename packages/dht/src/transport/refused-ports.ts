import type { Multiaddr } from '@multiformats/multiaddr'
import { RecentMap } from '../collections/recent-map.ts'

/** Milliseconds for which a port counts as refused: libp2p dials the addresses of a peer one after the other. */
const FRESH_MS = 1000

/** Ports remembered. */
const MAX_PORTS = 256

/** Errors of a port that nothing can connect to at the moment. */
const CODES: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'])

/** Remembers ports that have just refused TCP, so that nobody tries to reach a WebSocket there. */
export class RefusedPorts {
  /** The errors by host and port. */
  readonly #refusals: RecentMap<string, object>

  constructor(nowMs: () => number = () => performance.now()) {
    this.#refusals = new RecentMap({ maxSize: MAX_PORTS, maxAgeMs: FRESH_MS, nowMs })
  }

  /** Records the error of a dial. */
  record(address: Multiaddr, error: unknown): void {
    if (CODES.has(Object(error).code)) {
      this.#refusals.set(portOf(address), Object(error))
    }
  }

  /** @throws the error with which the port of an address has just refused a connection */
  assertOpen(address: Multiaddr): void {
    const error = this.#refusals.get(portOf(address))

    if (error !== undefined) {
      throw error
    }
  }
}

/** Host and TCP port. */
function portOf(address: Multiaddr): string {
  return address
    .getComponents()
    .slice(0, 2)
    .map(({ value }) => value)
    .join(' ')
}
