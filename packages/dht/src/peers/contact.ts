import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

/** A peer, with the addresses that we were told, if any. */
export interface Contact {
  readonly id: PeerId
  readonly multiaddrs: readonly Multiaddr[]
}
