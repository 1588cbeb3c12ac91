import type { ConnectionGater } from '@libp2p/interface'
import type { KadDHT, KadDHTComponents } from '@libp2p/kad-dht'
import type { ICryptoInterface } from '@libp2p/noise'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Libp2pOptions } from 'libp2p'
import type { WaggleKadDHTInit } from '../kad/kad-options.ts'
import type { PendingPlaces } from '../transport/shared-port.ts'
import type { DHTOptions } from './options.ts'

/** The differences between Node and browsers. */
export interface Platform {
  /** Whether other peers can't dial this node, and it dials only WebSockets. */
  readonly isBrowser: boolean

  /** Options that are not supported here, with advice. */
  readonly refusals: { readonly [K in keyof DHTOptions]?: string }

  /** Noise's crypto. Undefined: noise chooses. */
  readonly noiseCrypto?: ICryptoInterface

  /** Creates the service of kad-dht. */
  kadDHT(init: WaggleKadDHTInit): Promise<(components: KadDHTComponents) => KadDHT>
  transports(init: TransportsInit): Promise<NonNullable<Libp2pOptions['transports']>>

  /** Returns the dialled ones of a caller's addresses, in the form in which they are dialled. */
  dialled(addresses: readonly Multiaddr[]): readonly Multiaddr[]

  /** Adds the platform's rules for addresses to a gater. The caller's addresses are exempt. */
  gater(
    gater: ConnectionGater | undefined,
    given: readonly Multiaddr[]
  ): ConnectionGater | undefined
}

export interface TransportsInit {
  readonly places: PendingPlaces

  /** Whether the node is to be reached through a relay. */
  readonly relay: boolean
}
