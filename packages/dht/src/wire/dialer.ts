import type { AbortOptions, PeerId, PeerInfo, Stream } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { dialledAddresses } from '#dialled-addresses'
import { BusyError, toError } from '../errors.ts'
import { dial, isConnectedTo } from '../peers/connect.ts'
import { isRefusal, retryRefused } from '../peers/refused-dials.ts'
import { timeoutSignal } from '../timing/deadline.ts'
import { dialsTo } from './host-names.ts'
import { OPEN_TIMEOUT_MS } from './limits.ts'
import { ProtocolViolationError } from './protocol-violation-error.ts'

/** Knowledge of peers that protocols use and add to. */
export interface PeerPolicy {
  /** Whether the peer violated a protocol lately. */
  isBanned(peer: PeerId): boolean

  /** Whether so many dials to a peer may be made now. Those to unverified peers count towards a rate. */
  mayDial(peer: PeerId, dials: number): boolean

  /** Takes note of whether a peer was reached. */
  recordDial(peer: PeerInfo, isReached: boolean): void

  /** Takes note of a peer that another one has named. */
  recordReferral(peer: PeerInfo, referrer: PeerId): void

  /** Takes note of a response, perhaps a late one. */
  recordResponse(peer: PeerId): void

  /** Bans a peer that violated a protocol. */
  ban(peer: PeerId, error: Error): void
}

export interface DialerInit {
  readonly connectionManager: ConnectionManager
  readonly peers: PeerPolicy

  /** Milliseconds that one peer may take to respond. Connecting may take as long. */
  readonly requestTimeoutMs?: number | undefined
}

/**
 * Connects to peers, and opens streams. Every protocol's dials pass through it, so all share one
 * rate. A peer that refuses a connection is busy: it is dialled again a few times, and has not failed.
 */
export class Dialer {
  readonly #init: DialerInit
  #dials = 0
  #refusals = 0

  constructor(init: DialerInit) {
    this.#init = init
  }

  /** Dials so far because a peer was not connected when it was needed. */
  get dials(): number {
    return this.#dials
  }

  /** Dials so far that a peer refused. */
  get refusals(): number {
    return this.#refusals
  }

  /** Opens a stream of a protocol. Rejects for a peer that is banned, or is not to be dialled just now. */
  async openStream(peer: PeerInfo, protocol: string): Promise<Stream> {
    const { connectionManager, requestTimeoutMs = 0 } = this.#init
    const signal = timeoutSignal(Math.max(OPEN_TIMEOUT_MS, requestTimeoutMs))
    return this.#untilLetIn(peer, { signal }, () =>
      connectionManager.openStream(peer.id, protocol, { signal })
    )
  }

  /** Connects to a peer unless there is a connection. Rejects as `openStream` does. */
  async connect(peer: PeerInfo, options: AbortOptions): Promise<void> {
    await this.#untilLetIn(peer, options, () => undefined)
  }

  /** Connects, and goes on; once more from the start where the peer closes the connection in between. */
  async #untilLetIn<T>(
    peer: PeerInfo,
    options: AbortOptions,
    then: () => T | Promise<T>
  ): Promise<T> {
    this.#assertMayDial(peer)

    return retryRefused(
      async () => {
        await this.#connect(peer, options)
        return then()
      },
      {
        ...options,
        onRefusal: () => {
          this.#refusals++
        }
      }
    )
  }

  async #connect(peer: PeerInfo, options: AbortOptions): Promise<void> {
    const { connectionManager, peers } = this.#init

    if (isConnectedTo(connectionManager, peer.id)) {
      peers.recordDial(peer, true)
      return
    }

    this.#dials++

    if (peer.multiaddrs.length === 0) {
      // libp2p finds out where it is when a stream is opened.
      return
    }

    try {
      await dial(connectionManager, peer, options)
      peers.recordDial(peer, true)
    } catch (error) {
      if (!isRefusal(error)) {
        peers.recordDial(peer, false)
      }

      throw toError(error)
    }
  }

  #assertMayDial({ id, multiaddrs }: PeerInfo): void {
    const { peers } = this.#init

    if (peers.isBanned(id)) {
      throw new ProtocolViolationError(`the peer ${id} violated a protocol lately`)
    }

    if (!peers.mayDial(id, dialsTo(dialledAddresses(multiaddrs)))) {
      throw new BusyError('too many peers that others have named are being dialled')
    }
  }
}
