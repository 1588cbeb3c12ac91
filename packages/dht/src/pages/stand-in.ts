import type { Connection, Logger, PeerId, TypedEventTarget } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import type { DHTEvents } from '../events.ts'
import type { KnownPeers } from '../peers/known-peers.ts'
import { isBetweenPages } from '../peers/page-address.ts'
import { keyOf, type RecordStore } from '../store/record-store.ts'
import { protocolIdIn } from '../wire/protocol-id.ts'

/** The protocol, without messages, of pages that stand in; its id in the default network. */
export const PAGE_PROTOCOL = '/waggle/page/1.0.0'

export interface StandInInit {
  readonly registrar: Registrar
  readonly events: TypedEventTarget<DHTEvents>
  readonly log: Logger
  readonly routing: KnownPeers

  /** The records that this node stores for others. */
  readonly store: RecordStore

  /** The records that it has read, written and watched; undefined: it remembers none. */
  readonly cache: RecordStore | undefined

  /** Serves records and watches to others from now on. */
  readonly serve: () => Promise<void>
  readonly stopServing: () => Promise<void>

  /**
   * Sends all stored records to servers, and removes them here. Records that no server takes now are sent later.
   */
  readonly handOver: () => Promise<void>
}

/**
 * Stands in for servers while none is left (N15). Such pages recognize each other by a protocol that no server looks
 * for, and are each other's replicas. They begin with copies of the records that they know, and hand all records
 * over when a server is back.
 */
export class StandIn {
  readonly #init: StandInInit

  /** The connected pages that stand in. */
  readonly #pages = new Map<string, PeerId>()
  #isServing = false
  #isReplica = false
  #changes: Promise<void> = Promise.resolve()

  constructor(init: StandInInit) {
    this.#init = init
  }

  /** Whether this page stores records for other pages. */
  get isReplica(): boolean {
    return this.#isReplica
  }

  /** Whether a lost server, which may be back, may hold what the pages lack. */
  get mayLack(): boolean {
    return this.#isReplica && this.#init.routing.vanished().length > 0
  }

  /** Whether a peer is a page that stands in. */
  isPage(peer: PeerId): boolean {
    return this.#pages.has(peer.toString())
  }

  /** Follows which servers are there until the signal is aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    const { events, registrar, store } = this.#init
    const onServer = ({ detail }: CustomEvent<PeerId>): void => {
      this.isPage(detail) || this.#settleSoon(signal)
    }
    events.addEventListener('peer:lost', onServer, { signal })
    events.addEventListener('peer:disconnect', () => this.#settleSoon(signal), { signal })
    events.addEventListener('peer:found', onServer, { signal })
    const topology = await registrar.register(protocolIdIn(store.network, PAGE_PROTOCOL), {
      onConnect: (peer, connection) => this.#addPage(peer, connection),
      onDisconnect: (peer) => this.#removePage(peer)
    })
    signal.addEventListener('abort', () => registrar.unregister(topology))
  }

  get #hasServers(): boolean {
    const { routing } = this.#init
    return (
      routing.connected.some((peer) => !this.isPage(peer)) ||
      routing.members().some(({ contact }) => !this.isPage(contact.id))
    )
  }

  /** Changes one after the other. */
  #settleSoon(signal: AbortSignal): void {
    this.#changes = this.#changes
      .then(() => (signal.aborted ? undefined : this.#settle(signal)))
      .catch((error) => this.#init.log('could not change roles - %e', error))
  }

  #settle(signal: AbortSignal): Promise<void> {
    return this.#hasServers ? this.#retire(signal) : this.#begin()
  }

  async #begin(): Promise<void> {
    if (this.#isServing) {
      return
    }

    const { log, registrar, serve, store } = this.#init
    log('no server is left: standing in with other pages')
    this.#isServing = true
    this.#copyKnown()
    await serve()
    await registrar.handle(protocolIdIn(store.network, PAGE_PROTOCOL), (stream) => {
      stream.abort(new Error('this protocol has no messages'))
    })

    for (const peer of this.#pages.values()) {
      this.#enlist(peer)
    }
  }

  /** Stores copies of all records that this node has read, written and watched. */
  #copyKnown(): void {
    const { cache, store } = this.#init

    for (const name of [...(cache?.names() ?? [])]) {
      const record = cache?.find(name)?.record
      record && store.apply(keyOf(name), record)
    }
  }

  /** Stops serving, and hands over all records, whether restored from disk or stored by pages. */
  async #retire(signal: AbortSignal): Promise<void> {
    const { handOver, log, registrar, stopServing, store } = this.#init
    this.#isReplica = false

    if (this.#isServing) {
      log('a server is back: handing over %d records', store.records)
      this.#isServing = false

      for (const peer of this.#pages.values()) {
        this.#dismiss(peer)
      }

      await registrar.unhandle(protocolIdIn(store.network, PAGE_PROTOCOL))
      await stopServing()
    }

    if (store.records > 0 && !signal.aborted) {
      await handOver()
    }
  }

  #addPage(peer: PeerId, { remoteAddr }: Connection): void {
    if (isBetweenPages(remoteAddr)) {
      this.#pages.set(peer.toString(), peer)

      if (this.#isServing) {
        this.#enlist(peer)
      }
    }
  }

  #removePage(peer: PeerId): void {
    if (this.isPage(peer)) {
      this.#dismiss(peer)
      this.#pages.delete(peer.toString())
    }
  }

  /** Makes a page a member. Its address says nothing about its host. */
  #enlist(peer: PeerId): void {
    this.#isReplica = true
    this.#init.routing.addConnected(peer, peer.toString())
  }

  /** Removes a page for good: nobody can dial it. */
  #dismiss(peer: PeerId): void {
    const { routing } = this.#init
    routing.removeConnected(peer)
    routing.remove(peer)
    routing.recordDeparture(peer)
  }
}
