import {
  AbortError,
  type AbortOptions,
  type PeerId,
  type PeerInfo,
  type Stream
} from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { toError } from '../errors.ts'
import { dial, isConnectedTo } from '../peers/connect.ts'
import { isRefusal, retryRefused } from '../peers/refused-dials.ts'
import { inRunningTime } from '../timing/running-time.ts'
import { DialRate } from './dial-rate.ts'
import { DialTurns } from './dial-turns.ts'
import { OPEN_TIMEOUT_MS } from './limits.ts'
import { ProtocolViolationError } from './protocol-violation-error.ts'

/** Records of peers that protocols read and update. */
export interface PeerPolicy {
  /** Whether the peer is banned for a protocol violation. */
  isBanned(peer: PeerId): boolean

  /** Whether this many dials to a peer are allowed now. Dials to unverified peers count towards a rate. */
  mayDial(peer: PeerId, dials: number): boolean

  /** Records whether a dialled peer was reached. */
  recordDial(peer: PeerInfo, isReached: boolean): void

  /** Records the referrer of a peer. */
  recordReferral(peer: PeerInfo, referrer: PeerId): void

  /** Records a response, even a late one. */
  recordResponse(peer: PeerId): void

  /** Bans a peer that violated a protocol. */
  ban(peer: PeerId, error: Error): void

  /** Records that a peer accepts no connections at the moment. */
  recordRefusedDial(peer: PeerId): void
}

/** The work that connects to peers besides the requests of Waggle's protocols. */
export type DialTask = 'join' | 'kad' | 'neighbours' | 'pages' | 'probe'

export interface ConnectOptions extends AbortOptions {
  readonly task: DialTask

  /** Milliseconds of an attempt, without the wait for its turn. @default as for streams */
  readonly timeoutMs?: number

  /** Runs each attempt within the task's own limit. Its place is free between the attempts to dial one peer. @default at once */
  readonly runLimited?: (attempt: (signal?: AbortSignal) => Promise<void>) => Promise<void>
}

export interface OpenOptions {
  /** Whether only bulk waits for the stream now, whose dials wait while others are made. @default false */
  readonly isBulk?: (() => boolean) | undefined

  /** Whether anybody still waits for the stream. @default always */
  readonly isWanted?: (() => boolean) | undefined
}

/** Earlier attempts to dial a peer. */
interface Earlier {
  readonly refusals: number

  /** Whether there were any, refused or not. */
  readonly isRepeated: boolean
}

interface AttemptOptions extends AbortOptions, OpenOptions, Earlier {
  readonly task: string
  readonly timeoutMs?: number | undefined
}

/** A dial that nobody waits for any more was not made. */
export class UnwantedDialError extends AbortError {}

export interface DialerInit {
  readonly self: PeerId
  readonly connectionManager: ConnectionManager
  readonly peers: PeerPolicy

  /** Milliseconds allowed for a response, and for connecting. */
  readonly requestTimeoutMs?: number | undefined
}

/**
 * Connects to peers, and opens streams. Every protocol's dials pass through it, so all share one rate. A peer that
 * refuses a connection is busy: the dial is repeated a few times, and the peer has not failed.
 */
export class Dialer {
  readonly #init: DialerInit
  readonly #turns: DialTurns
  readonly #dialsByTask = new Map<string, number>()
  readonly #rate: DialRate
  #refusals = 0

  constructor(init: DialerInit) {
    this.#init = init
    this.#turns = new DialTurns(init.self)
    this.#rate = new DialRate({
      mayDial: (peer, dials) => init.peers.mayDial(peer, dials),
      requestTimeoutMs: init.requestTimeoutMs
    })
  }

  /** Number of dials so far of peers that were needed and not connected. */
  get dials(): number {
    return [...this.#dialsByTask.values()].reduce((sum, dials) => sum + dials, 0)
  }

  /** These dials by the task that needed the peer: the name of a protocol, or another one. */
  get dialsByTask(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#dialsByTask)
  }

  /** Number of refused dials so far. */
  get refusals(): number {
    return this.#refusals
  }

  /** Counts a dial, such as one by libp2p itself. */
  count(task: string): void {
    this.#dialsByTask.set(task, (this.#dialsByTask.get(task) ?? 0) + 1)
  }

  /** The time of a peer's last progress with being dialled, in ms of the process's clock. */
  progressMs(peer: PeerInfo): number {
    return this.#turns.progressMs(peer)
  }

  /**
   * Opens a stream of a protocol. Rejects for a peer that is banned, or may not be dialled now, and with an
   * UnwantedDialError when nobody waits for it any more.
   */
  async openStream(peer: PeerInfo, protocol: string, options: OpenOptions = {}): Promise<Stream> {
    const task = nameIn(protocol)
    return this.#untilLetIn(peer, options, async (earlier) => {
      await this.#connect(peer, { ...options, ...earlier, task })
      return this.#inTime((signal) =>
        this.#init.connectionManager.openStream(peer.id, protocol, { signal })
      )
    })
  }

  /** Connects to a peer unless there is a connection. Rejects as `openStream` does. */
  async connect(peer: PeerInfo, options: ConnectOptions): Promise<void> {
    const { runLimited = (attempt) => attempt(options.signal) } = options
    await this.#untilLetIn(peer, options, (earlier) =>
      runLimited((signal) => this.#connect(peer, { ...options, ...earlier, signal }))
    )
  }

  /** Makes the dials to a peer for bulk requests of a protocol as urgent as those for single ones. */
  hasten({ id }: PeerInfo, protocol: string): void {
    this.#turns.hasten(id, nameIn(protocol))
  }

  /** Runs attempts to connect until the rate of dials allows one, and the peer does not refuse it. */
  async #untilLetIn<T>(
    peer: PeerInfo,
    options: AbortOptions & OpenOptions,
    attempt: (earlier: Earlier) => Promise<T>
  ): Promise<T> {
    const allowed = (refusals: number): Promise<T> =>
      this.#rate.retry(options, (isRetry) =>
        attempt({ refusals, isRepeated: refusals > 0 || isRetry })
      )
    return retryRefused(allowed, {
      signal: options.signal,
      onRefusal: () => {
        this.#refusals++
        this.#init.peers.recordRefusedDial(peer.id)
      }
    })
  }

  async #connect(peer: PeerInfo, options: AttemptOptions): Promise<void> {
    this.#assertNotBanned(peer)

    if (this.#isConnected(peer)) {
      return
    }

    // Without addresses, libp2p looks them up when a stream is opened.
    if (peer.multiaddrs.length === 0) {
      this.count(options.task)
      return
    }

    await this.#connectInTurn(peer, options)
  }

  async #connectInTurn(peer: PeerInfo, options: AttemptOptions): Promise<void> {
    const { isBulk, isRepeated, isWanted, refusals, signal, task } = options
    using turn = await this.#turns.take(peer.id, { task, isBulk: isBulk?.(), isRepeated, signal })

    // The turn may have come late.
    this.#assertNotBanned(peer)

    if (this.#isConnected(peer)) {
      return
    }

    if (isWanted?.() === false) {
      throw new UnwantedDialError('nobody waits for the peer any more')
    }

    if (refusals === 0) {
      this.#rate.take(peer, turn)
      isRepeated && turn.restart()
    }

    this.count(task)
    await this.#dial(peer, options)
    turn.succeed()
  }

  async #dial(peer: PeerInfo, { signal, timeoutMs }: AttemptOptions): Promise<void> {
    const { connectionManager, peers } = this.#init

    try {
      await this.#inTime((within) => dial(connectionManager, peer, { signal: within }), {
        ...{ signal, timeoutMs }
      })
      peers.recordDial(peer, true)
    } catch (error) {
      if (!isRefusal(error)) {
        peers.recordDial(peer, false)
      }

      throw toError(error)
    }
  }

  #isConnected(peer: PeerInfo): boolean {
    const { connectionManager, peers } = this.#init
    const isConnected = isConnectedTo(connectionManager, peer.id)

    if (isConnected) {
      peers.recordDial(peer, true)
    }

    return isConnected
  }

  #inTime<T>(
    work: (signal: AbortSignal) => Promise<T>,
    { signal, timeoutMs }: Pick<AttemptOptions, 'signal' | 'timeoutMs'> = {}
  ): Promise<T> {
    const ms = timeoutMs ?? Math.max(OPEN_TIMEOUT_MS, this.#init.requestTimeoutMs ?? 0)
    return inRunningTime(ms, work, signal)
  }

  #assertNotBanned({ id }: PeerInfo): void {
    if (this.#init.peers.isBanned(id)) {
      throw new ProtocolViolationError(`the peer ${id} is banned for a protocol violation`)
    }
  }
}

/** The name of a protocol in its id: `watch` in `/waggle/watch/2.0.0`. */
function nameIn(protocol: string): string {
  return protocol.split('/').at(-2) ?? protocol
}
