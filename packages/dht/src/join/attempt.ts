import type { AbortOptions, Connection, Libp2p, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { raceSignal } from 'race-signal'
import { CLOCK_ADVICE, describeSkew, isSkewed } from '../clock-reading.ts'
import { ClockSkewError } from '../errors.ts'
import { EXCHANGE_PROTOCOL } from '../exchange/messages.ts'
import { isRefusal } from '../peers/refused-dials.ts'
import type { Waggle } from '../service/service-interface.ts'
import { anySignal, timeoutSignal } from '../timing/deadline.ts'
import { doubled, spread } from '../timing/doubling.ts'
import { wait } from '../timing/wait.ts'
import { WATCH_PROTOCOL } from '../watch/watch-messages.ts'
import { otherRevision, protocolIdIn } from '../wire/protocol-id.ts'
import { isFinal } from './bootstrap-hints.ts'
import { type DialledPeer, dialAny, errorOf, UnreachableAddressesError } from './dial-any.ts'
import { NotAServerError, OtherRevisionError } from './not-a-server-error.ts'

/** Milliseconds before the first retry while joining. They double each time. */
const FIRST_RETRY_MS = 100

/** Maximum milliseconds between two retries: a peer that starts late is found within a second. */
const MAX_RETRY_MS = 1000

/** Milliseconds after which a connection on which the peer does not identify itself is given up for another one. */
const MAX_SILENCE_MS = 10_000

/** Protocols that a network speaks in one revision. */
const REVISED = [EXCHANGE_PROTOCOL, WATCH_PROTOCOL]

export interface AttemptInit {
  readonly node: Libp2p
  readonly waggle: Waggle

  /** Milliseconds that one attempt may take. */
  readonly bootstrapTimeoutMs: number
}

export interface AttemptOptions extends AbortOptions {
  /** Whether to retry attempts that may succeed later, until the bootstrap timeout. */
  readonly isPatient?: boolean
}

/**
 * Dials a peer and waits until it is known as a server, for at most the bootstrap timeout.
 *
 * @throws NotAServerError when it does not serve this network
 * @throws OtherRevisionError when it serves this network in another revision of the protocols
 * @throws UnreachableAddressesError when no address leads to it
 */
export async function attempt(
  peer: DialledPeer,
  init: AttemptInit,
  { signal, isPatient = false }: AttemptOptions
): Promise<PeerId> {
  const { bootstrapTimeoutMs } = init
  const within = anySignal(signal, timeoutSignal(bootstrapTimeoutMs))
  const log = init.node.logger.forComponent('waggle:join')
  let earlier: unknown

  for (let failures = 0; ; failures++) {
    try {
      return await attemptOnce(peer, init, within)
    } catch (error) {
      signal?.throwIfAborted()

      if (within.aborted) {
        throw lastErrors(peer.addresses, [error, earlier], { within, bootstrapTimeoutMs })
      }

      if (!isWorthRetrying(error, peer.addresses, isPatient)) {
        throw error
      }

      log('tries %a again - %e', peer.addresses[0], error)
      earlier = error
      await wait(spread(doubled(FIRST_RETRY_MS, failures, MAX_RETRY_MS)), within, {
        keepsAlive: true
      })
    }
  }
}

async function attemptOnce(
  peer: DialledPeer,
  { node, waggle }: AttemptInit,
  signal: AbortSignal
): Promise<PeerId> {
  const arrival = new Arrival(node, waggle)
  const earlier = new Set(node.getConnections().map(({ id }) => id))

  try {
    waggle.countJoin()
    const connection = await dialAny(node, peer, signal)
    await arrivalOn(connection, { arrival, signal, earlier })
    await assertSameRevision(connection.remotePeer, { node, network: waggle.network })
    return connection.remotePeer
  } finally {
    arrival.stop()
  }
}

interface ArrivalOptions {
  readonly arrival: Arrival
  readonly signal: AbortSignal

  /** Ids of the connections that were open before the attempt. */
  readonly earlier: ReadonlySet<string>
}

/**
 * Waits until the peer of a connection is known as a server. Whatever goes wrong on one connection, such as a lost
 * request of identify, must not take up the whole time for joining: a silent one ends, if this attempt opened it.
 */
async function arrivalOn(
  connection: Connection,
  { arrival, signal, earlier }: ArrivalOptions
): Promise<void> {
  const silence = timeoutSignal(MAX_SILENCE_MS)

  try {
    await raceSignal(arrival.of(connection), anySignal(signal, silence))
  } catch (reason) {
    if (!silence.aborted || signal.aborted) {
      throw reason
    }

    const error = new Error(
      `the peer is connected and did not identify itself within ${MAX_SILENCE_MS} ms`
    )

    if (!earlier.has(connection.id)) {
      connection.abort(error)
    }

    throw error
  }
}

async function assertSameRevision(
  peer: PeerId,
  { node, network }: { readonly node: Libp2p; readonly network: string }
): Promise<void> {
  const { protocols } = await node.peerStore.get(peer)

  for (const own of REVISED.map((id) => protocolIdIn(network, id))) {
    const spoken = otherRevision(protocols, own)

    if (spoken !== undefined) {
      throw new OtherRevisionError(`the peer ${peer} speaks ${spoken}, and this node ${own}`)
    }
  }
}

/** Whether a later attempt may succeed: a peer may be full for a moment or, with `isPatient`, still be starting. */
function isWorthRetrying(
  error: unknown,
  addresses: readonly Multiaddr[],
  isPatient: boolean
): boolean {
  return addresses.some((address, i) => {
    const failure = { address, error: errorOf(error, i) }
    return isPatient ? !isFinal(failure) : isRefusal(failure.error)
  })
}

interface LastErrorsOptions {
  readonly within: AbortSignal
  readonly bootstrapTimeoutMs: number
}

/** Picks for each address the first error other than a timeout, if there is one. */
function lastErrors(
  addresses: readonly Multiaddr[],
  errors: readonly unknown[],
  { within, bootstrapTimeoutMs }: LastErrorsOptions
): UnreachableAddressesError {
  const thrown = errors.filter((error) => error !== undefined)
  const silence = new Error(`no answer within ${bootstrapTimeoutMs} ms`, { cause: errors[0] })
  const isTelling = (error: Error): boolean =>
    error !== within.reason && error.name !== 'AbortError'
  return new UnreachableAddressesError(
    addresses.map((_, i) => thrown.map((error) => errorOf(error, i)).find(isTelling) ?? silence)
  )
}

/**
 * Attempts to join as {@link attempt} does, and requires the peer's clock to agree with this node's, if it sends
 * its time.
 *
 * @throws ClockSkewError
 */
export async function strictAttempt(
  dialled: DialledPeer,
  init: AttemptInit,
  options: AttemptOptions
): Promise<PeerId> {
  const peer = await attempt(dialled, init, options)
  const reading = await init.waggle.compareClocks(peer, options).catch((error) => {
    options.signal?.throwIfAborted()
    throw new Error(`the peer ${peer} is reachable but does not report its time`, { cause: error })
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
 * Waits until a connected peer counts as a server of this network. After identify, a peer's protocols are final, so
 * a peer that lacks them is rejected without waiting for the timeout.
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

    // One that ended before it got here is not reported again.
    if (connection.status === 'open') {
      this.#settle()
    } else {
      this.#arrived.reject(closedError())
    }

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
      this.#arrived.reject(closedError())
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
          `the peer ${remotePeer} is reachable but does not serve ${this.#waggle.protocol}`
        )
      )
    }
  }
}

function closedError(): Error {
  return new Error('the peer closed the connection')
}
