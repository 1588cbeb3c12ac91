import type { Multiaddr } from '@multiformats/multiaddr'
import { isTcpPort } from './websocket-address.ts'

/** Picks the addresses of a peer to dial: a browser has no TCP. */
export function dialledAddresses(addresses: readonly Multiaddr[]): readonly Multiaddr[] {
  const others = addresses.filter((address) => !isTcpPort(address))
  return others.length === 0 ? addresses : others
}
