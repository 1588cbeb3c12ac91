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

/** Peers of which libp2p keeps note although they are neither connected nor in the routing table. */
export const MAX_IDLE_PEERS = 1024

/** Milliseconds after which such a peer is forgotten. */
export const IDLE_PEER_MS = 120_000

/** Time between looks for such peers, in ms. */
const SWEEP_MS = 10_000

/** Peers that are forgotten at once: each takes a while. */
const MAX_AT_ONCE = 64

export interface PeerStoreLimitsComponents {
  readonly connectionManager: ConnectionManager
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
  readonly peerId: PeerId
  readonly peerStore: PeerStore
}

/**
 * Has libp2p forget the peers that have left, and those that others have named and nobody has
 * connected to: its peer store keeps all that it was ever told, for hours, and throw-away ids cost
 * nothing. Peers with a tag, such as those in kad-dht's routing table, stay.
 */
export function peerStoreLimits(): (components: PeerStoreLimitsComponents) => Startable {
  return (components) => new PeerStoreLimits(components)
}

class PeerStoreLimits implements Startable {
  readonly #components: PeerStoreLimitsComponents
  readonly #onUpdate: (event: CustomEvent<{ peer: { id: PeerId } }>) => void
  readonly #onLeave: (event: CustomEvent<PeerId>) => void

  /** When peers were last heard of, in ms of the process's clock, oldest first. */
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
      logger.forComponent('waggle:peer-store')('%p is not forgotten - %e', id, error)
    }
  }
}
