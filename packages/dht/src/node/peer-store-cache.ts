import {
  isPeerId,
  type Libp2pEvents,
  type Peer,
  type PeerData,
  type PeerId,
  type PeerStore,
  type PeerUpdate,
  type TypedEventTarget
} from '@libp2p/interface'
import { BoundedMap } from '../collections/bounded-map.ts'

/** Milliseconds for which an entry is used: libp2p forgets peers that nothing is stored of for hours. */
const FRESH_MS = 60_000

/** Peers whose entries are remembered. */
const MAX_PEERS = 1024

export interface PeerStoreCacheComponents {
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly peerStore: PeerStore
}

interface Known {
  readonly atMs: number
  readonly peer: Peer
}

/**
 * Remembers what libp2p's peer store holds of connected peers. Each read there takes a lock, decodes all of the
 * peer's data and parses its addresses. libp2p reads several times for each connection, and notes for each stream
 * that the peer speaks a protocol, which encodes and stores everything again. That takes a fifth of the processor
 * time of a stream with one request, and makes a fifth of the garbage of a join. A tag or an address that expires may be seen for a minute longer.
 */
export function peerStoreCache(): (components: PeerStoreCacheComponents) => PeerStoreCache {
  return (components) => new PeerStoreCache(components)
}

/** Answers reads of recent entries, and leaves out notes of protocols that they already have. */
export class PeerStoreCache {
  readonly #known = new BoundedMap<string, Known>({ maxSize: MAX_PEERS })

  constructor({ events, peerStore }: PeerStoreCacheComponents) {
    const { get, merge, patch, save } = peerStore
    const remove = peerStore.delete
    peerStore.get = (id, options) =>
      isPeerId(id)
        ? this.#read(id, () => get.call(peerStore, id, options))
        : get.call(peerStore, id, options)
    peerStore.merge = (id, data, options) => {
      const protocol = onlyProtocolIn(data)
      const write = (): Promise<Peer> => this.#write(merge.call(peerStore, id, data, options))
      return protocol === undefined ? write() : this.#note(id, protocol, write)
    }
    peerStore.patch = (...args) => this.#write(patch.apply(peerStore, args))
    peerStore.save = (...args) => this.#write(save.apply(peerStore, args))
    peerStore.delete = async (id, options) => {
      await remove.call(peerStore, id, options)
      this.#forget(id)
    }
    const onUpdate = ({ detail: { peer } }: CustomEvent<PeerUpdate>): void => this.#remember(peer)
    events.addEventListener('peer:update', onUpdate)
    events.addEventListener('self:peer:update', onUpdate)
    events.addEventListener('peer:disconnect', ({ detail }) => this.#forget(detail))
  }

  /** Does not remember what it reads: then notes would be left out for longer. */
  async #read(id: PeerId, read: () => Promise<Peer>): Promise<Peer> {
    // Other listeners of an update may read before this one hears of it.
    await Promise.resolve()
    return this.#fresh(id.toString()) ?? (await read())
  }

  async #note(id: PeerId, protocol: string, write: () => Promise<Peer>): Promise<Peer> {
    const known = this.#fresh(id.toString())

    if (known?.protocols.includes(protocol)) {
      return known
    }

    return write()
  }

  /** Remembers what was written: libp2p reports no update of metadata alone. */
  async #write(written: Promise<Peer>): Promise<Peer> {
    const peer = await written
    this.#remember(peer)
    return peer
  }

  /** Returns a copy of a recent entry: callers may change what they get. */
  #fresh(name: string): Peer | undefined {
    const known = this.#known.get(name)
    return known !== undefined && performance.now() - known.atMs < FRESH_MS
      ? copyOf(known.peer)
      : undefined
  }

  #remember(peer: Peer): void {
    this.#known.set(peer.id.toString(), { atMs: performance.now(), peer: copyOf(peer) })
  }

  #forget(id: PeerId): void {
    this.#known.delete(id.toString())
  }
}

function copyOf(peer: Peer): Peer {
  return {
    ...peer,
    addresses: [...peer.addresses],
    protocols: [...peer.protocols],
    metadata: new Map(peer.metadata),
    tags: new Map(peer.tags)
  }
}

/** Returns the protocol if it is the only content of a note; undefined for other notes. */
function onlyProtocolIn(data: PeerData): string | undefined {
  const { protocols = [], ...others } = data
  return protocols.length === 1 && Object.keys(others).length === 0 ? protocols[0] : undefined
}
