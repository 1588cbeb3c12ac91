import { type KadDHT, type KadDHTComponents, kadDHT } from '@libp2p/kad-dht'
import type { WaggleKadDHTInit } from './kad-options.ts'
import { mergingKadDHT } from './merging-kad-dht.ts'

/**
 * Creates kad-dht as a libp2p service whose replicas merge: every write of a Waggle record is joined with the
 * stored one under the rules R1–R16, regardless of its sender and path. Takes kad-dht's own options; `protocol`
 * determines the node's network.
 */
export function waggleKadDHT(
  init: WaggleKadDHTInit = {}
): (components: KadDHTComponents) => KadDHT {
  return mergingKadDHT(kadDHT, init)
}
