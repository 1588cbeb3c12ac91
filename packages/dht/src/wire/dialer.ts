import type { AbortOptions, PeerId, PeerInfo, Stream } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { dialledAddresses } from '#dialled-addresses'
import { BusyError, toError } from '../errors.ts'
import { dial, isConnectedTo } from '../peers/connect.ts'
import { isRefusal, retryRefused } from '../peers/refused-dials.ts'
import { inRunningTime } from '../timing/running-time.ts'
import { dialsTo } from './host-names.ts'
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
}

export interface DialerInit {
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
  readonly #dialsByTask = new Map<string, number>()
  #refusals = 0

  constructor(init: DialerInit) {
    this.#init = init
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

  /** Opens a stream of a protocol. Rejects for a peer that is banned, or may not be dialled now. */
  async openStream(peer: PeerInfo, protocol: string): Promise<Stream> {
    const { connectionManager, requestTimeoutMs = 0 } = this.#init
    const task = nameIn(protocol)
    return inRunningTime(Math.max(OPEN_TIMEOUT_MS, requestTimeoutMs), (signal) =>
      this.#untilLetIn(peer, { signal, task }, () =>
        connectionManager.openStream(peer.id, protocol, { signal })
      )
    )
  }

  /** Connects to a peer unless there is a connection. Rejects as `openStream` does. */
  async connect(peer: PeerInfo, options: ConnectOptions): Promise<void> {
    await this.#untilLetIn(peer, options, () => undefined)
  }

  /** Connects and runs the next step; repeats both once if the peer closes the connection in between. */
  async #untilLetIn<T>(
    peer: PeerInfo,
    options: AbortOptions & { readonly task: string },
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
          this.#init.peers.recordRefusedDial(peer.id)
        }
      }
    )
  }

  async #connect(
    peer: PeerInfo,
    { signal, task }: AbortOptions & { readonly task: string }
  ): Promise<void> {
    const { connectionManager, peers } = this.#init

    if (isConnectedTo(connectionManager, peer.id)) {
      peers.recordDial(peer, true)
      return
    }

    this.count(task)

    if (peer.multiaddrs.length === 0) {
      // libp2p looks up the addresses when a stream is opened.
      return
    }

    try {
      await dial(connectionManager, peer, { signal })
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
      throw new ProtocolViolationError(`the peer ${id} is banned for a protocol violation`)
    }

    if (!peers.mayDial(id, dialsTo(dialledAddresses(multiaddrs)))) {
      throw new BusyError('too many addresses from other peers are being dialled')
    }
  }
}

/** The name of a protocol in its id: `watch` in `/waggle/watch/2.0.0`. */
function nameIn(protocol: string): string {
  return protocol.split('/').at(-2) ?? protocol
}
