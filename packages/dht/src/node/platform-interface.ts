import type { ConnectionGater } from '@libp2p/interface'
import type { KadDHT, KadDHTComponents } from '@libp2p/kad-dht'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Libp2pOptions } from 'libp2p'
import type { WaggleKadDHTInit } from '../kad/kad-options.ts'
import type { Places } from '../transport/places.ts'
import type { DHTOptions } from './options.ts'

/** What differs between Node and browsers. */
export interface Platform {
  /** Whether nobody can dial this node, and it dials WebSockets only. */
  readonly isBrowser: boolean

  /** Options that mean nothing here, each with what to do instead. */
  readonly refusals: { readonly [K in keyof DHTOptions]?: string }

  /** Creates the service of kad-dht. */
  kadDHT(init: WaggleKadDHTInit): Promise<(components: KadDHTComponents) => KadDHT>
  transports(init: TransportsInit): Promise<NonNullable<Libp2pOptions['transports']>>

  /** Returns those of a caller's addresses that are dialled, as they are dialled from here. */
  dialled(addresses: readonly Multiaddr[]): readonly Multiaddr[]

  /** Adds the platform's own rules about addresses to a gater, from which those that the caller gave are exempt. */
  gater(
    gater: ConnectionGater | undefined,
    given: readonly Multiaddr[]
  ): ConnectionGater | undefined
}

export interface TransportsInit {
  readonly places: Places

  /** Whether the node is to be reached through a relay. */
  readonly relay: boolean
}
