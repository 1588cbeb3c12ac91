import type {
  ComponentLogger,
  Libp2pEvents,
  PeerId,
  PeerStore,
  Startable,
  TypedEventTarget
} from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { BoundedMap } from '../collections/bounded-map.ts'
import { Alarm } from '../timing/alarm.ts'

/** Peers that libp2p's peer store keeps although they are neither connected nor in the routing table. */
export const MAX_IDLE_PEERS = 1024

/** Milliseconds after which such a peer is forgotten. */
export const IDLE_PEER_MS = 120_000

/** Milliseconds between checks for such peers. */
const SWEEP_MS = 10_000

/** Peers that are removed at once: each removal takes some time. */
const MAX_AT_ONCE = 64

export interface PeerStoreLimitsComponents {
  readonly connectionManager: ConnectionManager
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
  readonly peerId: PeerId
  readonly peerStore: PeerStore
}

/**
 * Makes libp2p forget peers that have left, and peers from others' responses that were never connected. By itself
 * its peer store keeps all entries for hours, and throw-away ids cost nothing. Peers with a tag, such as those in
 * kad-dht's routing table, stay.
 */
export function peerStoreLimits(): (components: PeerStoreLimitsComponents) => Startable {
  return (components) => new PeerStoreLimits(components)
}

class PeerStoreLimits implements Startable {
  readonly #components: PeerStoreLimitsComponents
  readonly #onUpdate: (event: CustomEvent<{ peer: { id: PeerId } }>) => void
  readonly #onLeave: (event: CustomEvent<PeerId>) => void

  /** Time of peers' last update, in ms of the process's clock, oldest first. */
  readonly #idle = new BoundedMap<string, { readonly id: PeerId; readonly atMs: number }>({
    maxSize: MAX_IDLE_PEERS,
    onEvict: (_, { id }) => void this.#forget(id)
  })
  #alarm = new Alarm(() => void this.#sweep())

  constructor(components: PeerStoreLimitsComponents) {
    this.#components = components
    this.#onUpdate = ({ detail: { peer } }) => this.#note(peer.id)
    this.#onLeave = ({ detail }) => this.#note(detail)
  }

  start(): void {
    const { events } = this.#components
    this.#alarm = new Alarm(() => void this.#sweep())
    events.addEventListener('peer:update', this.#onUpdate)
    events.addEventListener('peer:disconnect', this.#onLeave)
  }

  stop(): void {
    const { events } = this.#components
    events.removeEventListener('peer:update', this.#onUpdate)
    events.removeEventListener('peer:disconnect', this.#onLeave)
    this.#alarm.stop()
    this.#idle.clear()
  }

  #note(id: PeerId): void {
    if (!this.#isConnected(id) && !id.equals(this.#components.peerId)) {
      this.#idle.set(id.toString(), { id, atMs: performance.now() })
      this.#alarm.within(SWEEP_MS)
    }
  }

  #isConnected(id: PeerId): boolean {
    return this.#components.connectionManager.getConnections(id).length > 0
  }

  async #sweep(): Promise<void> {
    const nowMs = performance.now()
    let forgotten = 0

    for (const [name, { id, atMs }] of this.#idle) {
      if (forgotten === MAX_AT_ONCE || nowMs - atMs < IDLE_PEER_MS) {
        break
      }

      forgotten++
      this.#idle.delete(name)
      await this.#forget(id)
    }

    if (this.#idle.size > 0) {
      this.#alarm.within(SWEEP_MS)
    }
  }

  async #forget(id: PeerId): Promise<void> {
    const { logger, peerStore } = this.#components

    try {
      if (!this.#isConnected(id) && (await peerStore.get(id)).tags.size === 0) {
        await peerStore.delete(id)
      }
    } catch (error) {
      logger.forComponent('waggle:peer-store')('could not remove %p - %e', id, error)
    }
  }
}
