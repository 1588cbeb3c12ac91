import type { Multiaddr } from '@multiformats/multiaddr'

/** Groups of an IPv6 address that name a network, which one machine may have all addresses of. */
const IPV6_NETWORK_GROUPS = 4

/**
 * The machine at an address, as far as that tells: an IPv4 address, the /64 network of an IPv6
 * address, or a host name. What comes through a relay counts as the relay's.
 */
export function hostOf(address: Multiaddr): string {
  const [first] = address.getComponents()
  const host = first?.value ?? ''
  return first?.name === 'ip6' ? networkOf(host) : host
}

function networkOf(address: string): string {
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : IPV6_NETWORK_GROUPS
  const all = [...groups, ...Array<string>(missing).fill('0')]
  return `${all.slice(0, IPV6_NETWORK_GROUPS).join(':')}::/64`
}
