import type { Multiaddr } from '@multiformats/multiaddr'
import { BoundedMap } from '../collections/bounded-map.ts'

/** Milliseconds for which a port counts as refused: libp2p dials the addresses of a peer one after the other. */
const FRESH_MS = 1000

/** Ports remembered. */
const MAX_PORTS = 256

/** Errors of a port that nothing can connect to at the moment. */
const CODES: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'])

interface Refusal {
  readonly error: unknown
  readonly atMs: number
}

/** Remembers ports that have just refused TCP, so that nobody tries to reach a WebSocket there. */
export class RefusedPorts {
  readonly #refusals = new BoundedMap<string, Refusal>({ maxSize: MAX_PORTS })
  readonly #nowMs: () => number

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  /** Records the error of a dial. */
  record(address: Multiaddr, error: unknown): void {
    if (CODES.has(Object(error).code)) {
      this.#refusals.set(portOf(address), { error, atMs: this.#nowMs() })
    }
  }

  /** @throws the error with which the port of an address has just refused a connection */
  assertOpen(address: Multiaddr): void {
    const refusal = this.#refusals.get(portOf(address))

    if (refusal !== undefined && this.#nowMs() - refusal.atMs < FRESH_MS) {
      throw refusal.error
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
