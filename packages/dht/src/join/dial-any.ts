import type { Connection, Libp2p } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { toError } from '../errors.ts'
import { idAtEnd, isDirect } from '../peers/connect.ts'
import { webSocketTarget } from '../peers/websocket-address.ts'
import { anySignal } from '../timing/deadline.ts'
import { wait } from '../timing/wait.ts'

/** Milliseconds after which the next address of the same peer is dialled in parallel (RFC 8305). */
const HEAD_START_MS = 250

/** Protocols of addresses that can be dialled without a peer id. */
const PLAIN = new Set(['ip4', 'ip6', 'dns', 'dns4', 'dns6', 'tcp', 'tls', 'sni', 'ws', 'wss'])

/** A peer's addresses, and its id if it is known. */
export interface DialledPeer {
  readonly addresses: readonly Multiaddr[]
  readonly peer?: string | undefined
}

/** All addresses of a peer failed. */
export class UnreachableAddressesError extends Error {
  static override readonly name = 'UnreachableAddressesError'
  override readonly name = 'UnreachableAddressesError'

  /** The error of each address. */
  readonly errors: readonly Error[]

  constructor(errors: readonly Error[]) {
    super(errors.map(({ message }) => message).join('; '))
    this.errors = errors
  }
}

/** Returns the error of one address, or the one that concerns all. */
export function errorOf(error: unknown, index: number): Error {
  const own = error instanceof UnreachableAddressesError ? error.errors[index] : undefined
  return own ?? toError(error)
}

/**
 * Dials the addresses of one peer, and resolves with the first connection. libp2p dials them one
 * after another, so that a silent one delays all behind it; here the next one starts after a moment.
 *
 * @throws UnreachableAddressesError when none leads to the peer
 */
export async function dialAny(
  node: Libp2p,
  peer: DialledPeer,
  signal: AbortSignal
): Promise<Connection> {
  const existing = node
    .getConnections()
    .find((one) => isDirect(one) && one.remotePeer.toString() === peer.peer)

  if (existing !== undefined) {
    return existing
  }

  const settled = new AbortController()
  const dials = new Dials(node, peer, anySignal(signal, settled.signal))

  try {
    const connection = await dials.first()
    dials.closeAllBut(connection)
    return connection
  } finally {
    settled.abort()
  }
}

/** One address to dial, and the index of the peer's address that it stands for. */
interface Route {
  readonly address: Multiaddr
  readonly index: number
}

/** Dials of one peer's addresses. */
class Dials {
  readonly #node: Libp2p
  readonly #peer: DialledPeer
  readonly #signal: AbortSignal
  readonly #dials: Promise<Connection>[] = []

  constructor(node: Libp2p, peer: DialledPeer, signal: AbortSignal) {
    this.#node = node
    this.#peer = peer
    this.#signal = signal
  }

  async first(): Promise<Connection> {
    const routes = routesOf(this.#peer.addresses)
    let previous: Promise<unknown> = Promise.resolve()

    for (const [position, { address }] of routes.entries()) {
      const turn = previous
      const dial = turn.then(() => this.#dial(address, position === 0))
      dial.catch(() => {})
      this.#dials.push(dial)
      previous = turn.then(() => headStart(dial, this.#signal))
    }

    try {
      return await Promise.any(this.#dials)
    } catch (error) {
      const errors: unknown[] = error instanceof AggregateError ? error.errors : [error]
      throw new UnreachableAddressesError(
        this.#peer.addresses.map((_, i) =>
          toError(errors[routes.findIndex(({ index }) => index === i)])
        )
      )
    }
  }

  /** Closes redundant connections: two addresses may have led to the peer at the same moment. */
  closeAllBut(connection: Connection): void {
    for (const dial of this.#dials) {
      dial
        .then((other) => (other.id === connection.id ? undefined : other.close()))
        .catch(() => {
          // Most dials were aborted, and one that ends by itself is closed.
        })
    }
  }

  /**
   * Dials an address. libp2p merges dials of the same peer id into one, which tries its addresses in turn. So all
   * but the first are dialled without the id, which is compared afterwards.
   */
  async #dial(address: Multiaddr, isFirst: boolean): Promise<Connection> {
    this.#signal.throwIfAborted()
    // A peer that was reached at an address without an id may have another id today.
    const peer = idAtEnd(address)
    const connection = await this.#dialPatiently(isFirst ? address : withoutId(address))

    if (peer !== undefined && connection.remotePeer.toString() !== peer) {
      const error = new Error(
        `the peer ${connection.remotePeer} does not match expected remote identity ${peer}`
      )
      connection.abort(error)
      throw error
    }

    return connection
  }

  /** Dials an address again after libp2p's own timeout of 6 seconds, until the signal is aborted. */
  async #dialPatiently(address: Multiaddr): Promise<Connection> {
    for (;;) {
      try {
        return await this.#node.dial([address], { signal: this.#signal })
      } catch (error) {
        if (this.#signal.aborted) {
          throw this.#signal.reason
        }

        if (!isTimeout(error)) {
          throw error
        }
      }
    }
  }
}

/** Resolves when a dial has failed, or after its head start. */
async function headStart(dial: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const over = new AbortController()
  dial.catch(() => over.abort())
  await wait(HEAD_START_MS, anySignal(signal, over.signal), { keepsAlive: true })
}

/** Leaves out relays if there is another address, because relayed connections are limited. */
function routesOf(addresses: readonly Multiaddr[]): Route[] {
  const routes = addresses.flatMap((address, index) =>
    familiesOf(address).map((one) => ({ address: one, index }))
  )
  const direct = routes.filter(({ address }) => !has(address, 'p2p-circuit'))
  return direct.length > 0 ? direct : routes
}

/** The addresses of `localhost`, by the protocols of names. */
const LOOPBACK = new Map([
  ['dns', ['/ip4/127.0.0.1', '/ip6/::1']],
  ['dns4', ['/ip4/127.0.0.1']],
  ['dns6', ['/ip6/::1']]
])

/** Returns the loopback addresses for `localhost`, independent of the system's setting. */
function familiesOf(address: Multiaddr): Multiaddr[] {
  const [host, ...rest] = address.getComponents()
  const loopback = host?.value === 'localhost' ? LOOPBACK.get(host.name) : undefined

  // A certificate is for the name.
  if (loopback === undefined || webSocketTarget(address)?.isSecure) {
    return [address]
  }

  const suffix = multiaddr(rest)
  return loopback.map((each) => multiaddr(each).encapsulate(suffix))
}

function withoutId(address: Multiaddr): Multiaddr {
  const components = address.getComponents()
  const transport = components.slice(0, -1)
  const isPlain =
    components.at(-1)?.name === 'p2p' && transport.every(({ name }) => PLAIN.has(name))
  return isPlain && transport.length > 0 ? multiaddr(transport) : address
}

function has(address: Multiaddr, protocol: string): boolean {
  return address.getComponents().some(({ name }) => name === protocol)
}

/** Whether a dial timed out, at its only address or at one of several. */
function isTimeout(error: unknown): boolean {
  return error instanceof AggregateError
    ? error.errors.some(isTimeout)
    : error instanceof Error && /due to timeout/.test(error.message)
}
