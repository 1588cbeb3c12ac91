import type { Connection, Libp2pEvents, Logger, PeerId, TypedEventTarget } from '@libp2p/interface'
import type { AddressManager, ConnectionManager } from '@libp2p/interface-internal'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { TokenBucket } from '../admission/token-bucket.ts'
import type { DHTEvents } from '../events.ts'
import { isConnectedTo } from '../peers/connect.ts'
import { isBetweenPages } from '../peers/page-address.ts'
import { Alarm } from '../timing/alarm.ts'
import { anySignal, timeoutSignal } from '../timing/deadline.ts'
import { inTime } from '../timing/in-time.ts'
import { wait } from '../timing/wait.ts'
import type { Dialer } from '../wire/dialer.ts'
import type { ClientParts } from '../wire/protocol-client.ts'
import { IntroductionClient } from './introduction-client.ts'

/** Connected pages beyond which a page dials no more. */
export const WANTED_PAGES = 20

/** Servers asked for pages at once. */
const MAX_ASKED = 8

/** Milliseconds from a change until servers are asked, and from one time to the next. */
const ASK_DELAY_MS = 100
const ASK_INTERVAL_MS = 60_000

/** Milliseconds until servers are asked again after a dial that failed. */
const RETRY_MS = 10_000

/** Relayed connections that one page may open at once, and per second: less than a relay grants. */
const DIAL_BURST = 6
const DIALS_PER_SECOND = 0.4

/** Milliseconds for a dial: a relayed connection, and WebRTC's search for a way. */
const DIAL_TIMEOUT_MS = 20_000

export interface MeshInit {
  readonly client: ClientParts & { readonly dialer: Dialer }
  readonly components: {
    readonly addressManager: AddressManager
    readonly connectionManager: ConnectionManager
    readonly events: TypedEventTarget<Libp2pEvents>
    readonly peerId: PeerId
  }
  readonly events: TypedEventTarget<DHTEvents>
  readonly log: Logger
  readonly requestTimeoutMs: number

  /** Lists the connected servers. */
  readonly servers: () => readonly PeerId[]
}

/**
 * Keeps a page connected to other pages (N15). Servers introduce the pages that they relay. The asking page dials,
 * through the server that named the other one; it trusts a server with that address only.
 */
export class Mesh {
  readonly #init: MeshInit
  readonly #introductions: IntroductionClient
  readonly #dials = new TokenBucket({ perSecond: DIALS_PER_SECOND, burst: DIAL_BURST })
  readonly #alarm = new Alarm(() => this.#ask())
  readonly #lifetime = new AbortController()

  /** Pages to be dialled, with the servers that named them. */
  readonly #introduced = new Map<string, { page: PeerId; server: PeerId }>()

  constructor(init: MeshInit) {
    this.#init = init
    this.#introductions = new IntroductionClient(init.client)
  }

  /** Meets other pages until the signal is aborted. */
  follow(signal: AbortSignal): void {
    const { components, events } = this.#init
    const soon = (): void => this.#alarm.within(ASK_DELAY_MS)
    events.addEventListener('peer:connect', soon, { signal })
    // The page may have got a place at a relay.
    components.events.addEventListener('self:peer:update', soon, { signal })
    components.events.addEventListener(
      'connection:open',
      ({ detail }: CustomEvent<Connection>) => this.#keepOne(detail),
      { signal }
    )
    components.events.addEventListener(
      'connection:close',
      ({ detail }: CustomEvent<Connection>) => isBetweenPages(detail.remoteAddr) && soon(),
      { signal }
    )
    signal.addEventListener('abort', () => {
      this.#lifetime.abort(signal.reason)
      this.#alarm.stop()
      this.#introductions.close()
    })
    soon()
  }

  /** Asks servers for pages, and says whether others reach this one. */
  #ask(): void {
    const { log, requestTimeoutMs, servers } = this.#init
    this.#alarm.within(ASK_INTERVAL_MS * (0.5 + Math.random()))

    for (const server of servers().slice(0, MAX_ASKED)) {
      const asked = this.#introductions.ask(server, this.#isReachedThrough(server))
      inTime(asked, requestTimeoutMs).then(
        (pages) => this.#meet(pages, server),
        (error) => log('%p introduces no pages - %e', server, error)
      )
    }
  }

  /** Dials pages one after the other. */
  #meet(pages: readonly PeerId[], server: PeerId): void {
    const isMeeting = this.#introduced.size > 0

    for (const page of pages.filter((one) => this.#isWanted(one))) {
      this.#introduced.set(page.toString(), { page, server })
    }

    if (!isMeeting) {
      void this.#dialAll()
    }
  }

  async #dialAll(): Promise<void> {
    for (const [name, { page, server }] of this.#introduced) {
      while (this.#isWanted(page) && !this.#dials.tryTake(1, 1)) {
        await wait(1000 / DIALS_PER_SECOND, this.#lifetime.signal)
      }

      if (this.#isWanted(page)) {
        await this.#connect(page, server).catch((error) => {
          this.#init.log('could not connect to the page %p - %e', page, error)
          this.#alarm.within(RETRY_MS * (0.5 + Math.random()))
        })
      }

      this.#introduced.delete(name)
    }
  }

  /** Whether a page is worth a dial. */
  #isWanted(page: PeerId): boolean {
    const { components, client } = this.#init
    const { connectionManager, peerId } = components
    return (
      !this.#lifetime.signal.aborted &&
      !page.equals(peerId) &&
      !client.peers.isBanned(page) &&
      !isConnectedTo(connectionManager, page) &&
      countPages(connectionManager) < WANTED_PAGES
    )
  }

  async #connect(page: PeerId, server: PeerId): Promise<void> {
    const { client, components } = this.#init
    const { connectionManager } = components
    const relay = connectionManager.getConnections(server).find(({ limits }) => limits == null)

    if (relay === undefined) {
      return
    }

    const signal = anySignal(this.#lifetime.signal, timeoutSignal(DIAL_TIMEOUT_MS))

    try {
      await client.dialer.connect(
        { id: page, multiaddrs: [throughRelay(relay.remoteAddr, server)] },
        { signal, task: 'pages' }
      )
    } finally {
      // The relayed connection has served its purpose.
      await Promise.allSettled(
        connectionManager
          .getConnections(page)
          .filter(({ limits }) => limits != null)
          .map((connection) => connection.close({ signal }))
      )
    }
  }

  /** Keeps one of two connections if both pages have dialled: that of the page with the smaller id. */
  #keepOne({ remoteAddr, remotePeer }: Connection): void {
    const { connectionManager, peerId } = this.#init.components
    const others = connectionManager.getConnections(remotePeer)
    const both = others.filter((one) => isBetweenPages(one.remoteAddr))
    const kept = peerId.toString() < remotePeer.toString() ? 'outbound' : 'inbound'

    if (isBetweenPages(remoteAddr) && both.some(({ direction }) => direction === kept)) {
      for (const connection of both.filter(({ direction }) => direction !== kept)) {
        connection.close().catch((error) => connection.abort(error))
      }
    }
  }

  #isReachedThrough(server: PeerId): boolean {
    const addresses = this.#init.components.addressManager.getAddresses()
    return addresses.some((address) => address.toString().includes(`/p2p/${server}/p2p-circuit`))
  }
}

/** Counts the connections to other pages. */
export function countPages(connectionManager: ConnectionManager): number {
  return connectionManager.getConnections().filter(({ remoteAddr }) => isBetweenPages(remoteAddr))
    .length
}

function throughRelay(relay: Multiaddr, id: PeerId): Multiaddr {
  const address = relay.toString().replace(/\/p2p\/[^/]+$/, '')
  return multiaddr(`${address}/p2p/${id}/p2p-circuit/webrtc`)
}
