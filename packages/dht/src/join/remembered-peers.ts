import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { BoundedMap } from '../collections/bounded-map.ts'
import { peerAddress } from '../node/addresses.ts'
import type { PeerMemory } from '../persistence/peer-memory.ts'

/** Peers remembered. */
export const MAX_REMEMBERED_PEERS = 64

/** Addresses remembered of one peer. */
const MAX_ADDRESSES_PER_PEER = 8

/** The peers that were of use lately, their addresses, and a copy of both in a memory. */
export class RememberedPeers {
  readonly #memory: PeerMemory
  /** By peer id, the one of use last at the end. */
  readonly #peers = new BoundedMap<string, readonly Multiaddr[]>({ maxSize: MAX_REMEMBERED_PEERS })
  #saving: Promise<void> | undefined
  #isOutdated = false

  constructor(memory: PeerMemory) {
    this.#memory = memory
  }

  /** Takes over what the memory has; addresses that can't be used are passed over. */
  async load(): Promise<void> {
    for (const text of (await this.#memory.load()).toReversed()) {
      const address = addressIn(text)
      const id = address?.getComponents().findLast(({ name }) => name === 'p2p')?.value

      if (address !== undefined && id !== undefined) {
        this.#put(id, [address, ...(this.#peers.get(id) ?? [])])
      }
    }
  }

  /** Takes note of a peer that is of use now. */
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

  /** All of them, each with its addresses; those of use last in front. */
  get all(): readonly (readonly [id: string, addresses: readonly Multiaddr[]])[] {
    return [...this.#peers].reverse()
  }

  /** Resolves when all that is remembered now has been saved, or could not be. */
  async flush(): Promise<void> {
    while (this.#saving !== undefined) {
      await this.#saving
    }
  }

  #put(id: string, addresses: readonly Multiaddr[]): void {
    this.#peers.set(id, addresses.slice(0, MAX_ADDRESSES_PER_PEER))
  }

  /** One at a time: what changes while it is under way is saved after it, all at once. */
  #save(): void {
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
        // A node that can't remember its peers still has them.
      }
    }
  }
}

function withId(address: Multiaddr, peer: PeerId): Multiaddr {
  const last = address.getComponents().at(-1)
  return last?.name === 'p2p' ? address : address.encapsulate(`/p2p/${peer}`)
}

function addressIn(text: unknown): Multiaddr | undefined {
  try {
    return peerAddress(text, 'a remembered peer')
  } catch {
    return undefined
  }
}
