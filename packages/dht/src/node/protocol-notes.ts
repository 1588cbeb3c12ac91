import {
  isPeerId,
  type Libp2pEvents,
  type Peer,
  type PeerData,
  type PeerId,
  type PeerStore,
  type TypedEventTarget
} from '@libp2p/interface'
import { BoundedMap } from '../collections/bounded-map.ts'

/** Milliseconds for which a note is not repeated: libp2p forgets peers without a note for hours. */
const FRESH_MS = 60_000

/** Peers whose notes are remembered. */
const MAX_PEERS = 4096

export interface ProtocolNotesComponents {
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly peerStore: PeerStore
}

interface Note {
  readonly atMs: number
  readonly peer: Peer
}

/**
 * Limits libp2p's notes that a peer speaks a protocol to one a minute, instead of one for each stream. A note
 * decodes, encodes and stores all of the peer's data, which takes a fifth of the processor time of a stream with
 * one request.
 */
export function protocolNotes(): (components: ProtocolNotesComponents) => ProtocolNotes {
  return (components) => new ProtocolNotes(components)
}

/** Remembers the protocols that libp2p has recently noted for peers. */
export class ProtocolNotes {
  readonly #notes = new BoundedMap<string, Map<string, Note>>({ maxSize: MAX_PEERS })

  constructor({ events, peerStore }: ProtocolNotesComponents) {
    const merge = peerStore.merge.bind(peerStore)
    peerStore.merge = (id, data, options) => {
      const protocol = onlyProtocolIn(data)
      return protocol === undefined || !isPeerId(id)
        ? merge(id, data, options)
        : this.#note(id, protocol, () => merge(id, data, options))
    }
    events.addEventListener('peer:update', ({ detail: { peer } }) => this.#forget(peer.id))
    events.addEventListener('peer:disconnect', ({ detail }) => this.#forget(detail))
  }

  async #note(id: PeerId, protocol: string, merge: () => Promise<Peer>): Promise<Peer> {
    const name = id.toString()
    const known = this.#notes.get(name)?.get(protocol)

    if (known !== undefined && performance.now() - known.atMs < FRESH_MS) {
      return known.peer
    }

    const peer = await merge()
    const notes = this.#notes.get(name) ?? new Map<string, Note>()
    this.#notes.set(name, notes.set(protocol, { atMs: performance.now(), peer }))
    return peer
  }

  #forget(id: PeerId): void {
    this.#notes.delete(id.toString())
  }
}

/** Returns the protocol if it is the only content of a note; undefined for other notes. */
function onlyProtocolIn(data: PeerData): string | undefined {
  const { protocols = [], ...others } = data
  return protocols.length === 1 && Object.keys(others).length === 0 ? protocols[0] : undefined
}
