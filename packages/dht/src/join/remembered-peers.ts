import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { BoundedMap } from '../collections/bounded-map.ts'
import { peerAddress } from '../node/addresses.ts'
import { idAtEnd } from '../peers/connect.ts'
import { NO_MEMORY, type PeerMemory } from '../persistence/peer-memory.ts'

/** Peers remembered. */
export const MAX_REMEMBERED_PEERS = 64

/** Addresses remembered for each peer. */
const MAX_ADDRESSES_PER_PEER = 8

/** The recently useful peers and their addresses, saved in a memory. */
export class RememberedPeers {
  readonly #memory: PeerMemory
  /** Addresses by peer id, the most recently useful peer last. */
  readonly #peers = new BoundedMap<string, readonly Multiaddr[]>({ maxSize: MAX_REMEMBERED_PEERS })
  #saving: Promise<void> | undefined
  #isOutdated = false

  constructor(memory: PeerMemory) {
    this.#memory = memory
  }

  /** Loads the saved peers. Skips invalid addresses. */
  async load(): Promise<void> {
    for (const text of (await this.#memory.load()).toReversed()) {
      const address = addressIn(text)
      const id = address?.getComponents().findLast(({ name }) => name === 'p2p')?.value

      if (address !== undefined && id !== undefined) {
        this.#put(id, [address, ...(this.#peers.get(id) ?? [])])
      }
    }
  }

  /** Records a peer that is useful now. */
  remember(peer: PeerId, addresses: readonly Multiaddr[]): void {
    if (addresses.length > 0) {
      this.#put(
        peer.toString(),
        addresses.map((address) => withId(address, peer))
      )
      this.#save()
    }
  }

  addressesOf(peer: string): readonly Multiaddr[] {
    return this.#peers.get(peer) ?? []
  }

  /** All peers with their addresses, most recently useful first. */
  get all(): readonly (readonly [id: string, addresses: readonly Multiaddr[]])[] {
    return [...this.#peers].reverse()
  }

  /** Resolves when all peers remembered now have been saved, or saving failed. */
  async flush(): Promise<void> {
    while (this.#saving !== undefined) {
      await this.#saving
    }
  }

  #put(id: string, addresses: readonly Multiaddr[]): void {
    this.#peers.set(id, addresses.slice(0, MAX_ADDRESSES_PER_PEER))
  }

  /** Saves the peers, one save at a time. Changes during a save are saved together after it. */
  #save(): void {
    if (this.#memory === NO_MEMORY) {
      return
    }

    this.#isOutdated = true
    this.#saving ??= this.#saveAll().finally(() => {
      this.#saving = undefined
    })
  }

  async #saveAll(): Promise<void> {
    while (this.#isOutdated) {
      this.#isOutdated = false
      const addresses = this.all.flatMap(([, known]) => known.map(String))

      try {
        await this.#memory.save(addresses)
      } catch {
        // The node still has its peers in memory.
      }
    }
  }
}

function withId(address: Multiaddr, peer: PeerId): Multiaddr {
  return idAtEnd(address) === undefined ? address.encapsulate(`/p2p/${peer}`) : address
}

function addressIn(text: unknown): Multiaddr | undefined {
  try {
    return peerAddress(text, 'a remembered peer')
  } catch {
    return undefined
  }
}
