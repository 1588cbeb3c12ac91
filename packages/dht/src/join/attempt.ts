import type { AbortOptions, Connection, Libp2p, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { raceSignal } from 'race-signal'
import { CLOCK_ADVICE, describeSkew, isSkewed } from '../clock-reading.ts'
import { ClockSkewError } from '../errors.ts'
import { retryRefused } from '../peers/refused-dials.ts'
import type { Waggle } from '../service/service-interface.ts'
import { anySignal, timeoutSignal } from '../timing/deadline.ts'
import { NotAServerError } from './not-a-server-error.ts'

export interface AttemptInit {
  readonly node: Libp2p
  readonly waggle: Waggle

  /** How long one attempt may take. */
  readonly bootstrapTimeoutMs: number
}

/**
 * Dials a peer and waits until it can be asked, for at most the bootstrap timeout.
 *
 * @throws NotAServerError when it does not serve this network
 */
export async function attempt(
  addresses: Multiaddr | Multiaddr[],
  { node, waggle, bootstrapTimeoutMs }: AttemptInit,
  { signal }: AbortOptions
): Promise<PeerId> {
  const timeout = timeoutSignal(bootstrapTimeoutMs)
  const within = anySignal(signal, timeout)
  let refusal: unknown

  try {
    return await retryRefused(() => connect(addresses, { node, waggle }, within), {
      signal: within,
      onRefusal(error) {
        refusal = error
      }
    })
  } catch (error) {
    if (signal?.aborted) {
      throw error
    }

    // A peer that goes on refusing is there, and says more than that time has run out.
    const isRefused = timeout.aborted || (error instanceof Error && error.name === 'BusyError')

    if (isRefused && refusal !== undefined) {
      throw refusal
    }

    throw timeout.aborted
      ? new Error(`no answer within ${bootstrapTimeoutMs} ms`, { cause: error })
      : error
  }
}

/** Connects to a peer, and waits until it is known to serve this network. */
async function connect(
  addresses: Multiaddr | Multiaddr[],
  { node, waggle }: Pick<AttemptInit, 'node' | 'waggle'>,
  signal: AbortSignal
): Promise<PeerId> {
  const arrival = new Arrival(node, waggle)

  try {
    const connection = await dial(node, addresses, signal)
    await raceSignal(arrival.of(connection), signal)
    return connection.remotePeer
  } finally {
    arrival.stop()
  }
}

/** libp2p gives up an address after 6 seconds. A slow peer has as long as we wait. */
async function dial(
  node: Libp2p,
  addresses: Multiaddr | Multiaddr[],
  signal: AbortSignal
): Promise<Connection> {
  for (;;) {
    try {
      return await node.dial(addresses, { signal })
    } catch (error) {
      if (signal.aborted || !isTimeout(error)) {
        throw error
      }
    }
  }
}

/** Whether an address took too long: the only one, or one of several. */
function isTimeout(error: unknown): boolean {
  return error instanceof AggregateError
    ? error.errors.some(isTimeout)
    : error instanceof Error && /due to timeout/.test(error.message)
}

/**
 * The same, and the peer's clock must agree with ours, if it tells the time.
 *
 * @throws ClockSkewError
 */
export async function strictAttempt(
  addresses: Multiaddr | Multiaddr[],
  init: AttemptInit,
  options: AbortOptions
): Promise<PeerId> {
  const peer = await attempt(addresses, init, options)
  const reading = await init.waggle.compareClocks(peer, options).catch((error) => {
    options.signal?.throwIfAborted()
    throw new Error(`the peer ${peer} is there but does not tell its time`, { cause: error })
  })

  if (reading !== undefined && isSkewed(reading)) {
    throw new ClockSkewError(
      `the clock of the peer ${peer} differs from ours: ${describeSkew(reading)}. ${CLOCK_ADVICE}, or leave out strictClock to join all the same.`,
      reading
    )
  }

  return peer
}

/**
 * Waits until a peer that we have connected to counts as a server of our network. One that does not
 * serve it never will; what protocols a peer has is known as soon as it has identified itself, so
 * there is no need to wait for the timeout.
 */
class Arrival {
  readonly #node: Libp2p
  readonly #waggle: Waggle
  readonly #arrived = Promise.withResolvers<void>()
  readonly #nonServers = new Set<string>()
  #awaited: Connection | undefined

  constructor(node: Libp2p, waggle: Waggle) {
    this.#node = node
    this.#waggle = waggle
    this.#arrived.promise.catch(() => {})
    node.addEventListener('peer:identify', this.#onIdentify)
    node.addEventListener('connection:close', this.#onClose)
    waggle.events.addEventListener('peer:connect', this.#settle)
  }

  of(connection: Connection): Promise<void> {
    this.#awaited = connection
    this.#settle()
    return this.#arrived.promise
  }

  stop(): void {
    this.#node.removeEventListener('peer:identify', this.#onIdentify)
    this.#node.removeEventListener('connection:close', this.#onClose)
    this.#waggle.events.removeEventListener('peer:connect', this.#settle)
  }

  readonly #onIdentify = ({
    detail: { connection, protocols }
  }: CustomEvent<{ connection: Connection; protocols: string[] }>): void => {
    if (!protocols.includes(this.#waggle.protocol)) {
      this.#nonServers.add(connection.id)
      this.#settle()
    }
  }

  readonly #onClose = ({ detail }: CustomEvent<Connection>): void => {
    if (detail.id === this.#awaited?.id) {
      this.#arrived.reject(new Error('the peer closed the connection'))
    }
  }

  readonly #settle = (): void => {
    if (this.#awaited === undefined) {
      return
    }

    const { id, remotePeer } = this.#awaited

    if (this.#waggle.isJoined(remotePeer)) {
      this.#arrived.resolve()
    } else if (this.#nonServers.has(id)) {
      this.#arrived.reject(
        new NotAServerError(
          `the peer ${remotePeer} is there but does not serve ${this.#waggle.protocol}`
        )
      )
    }
  }
}
