import type { Multiaddr } from '@multiformats/multiaddr'

/** Groups of an IPv6 address that a provider assigns to one customer at least (RFC 6177). */
const SITE_GROUPS = 4
const MAX_GROUPS = 8

/** The first groups of an IPv4-mapped IPv6 address. */
const IP4_PREFIX = '0:0:0:0:0:ffff'

/**
 * Names the host at an address: an IPv4 address, the first half of an IPv6 address (one customer has the whole
 * second half), or a host name. A peer behind a relay counts as the relay's host.
 */
export function hostOf(address: Multiaddr): string {
  const { name, value = '' } =
    address.getComponents().find((component) => component.name !== 'ip6zone') ?? {}
  return name === 'ip6' ? siteOf(value) : value
}

function siteOf(ip6: string): string {
  const groups = groupsOf(ip6.toLowerCase())
  const isMapped = groups.slice(0, 6).join(':') === IP4_PREFIX
  return (isMapped ? groups.slice(6) : groups.slice(0, SITE_GROUPS)).join(':')
}

/** Lists all groups of an address, omitted zeros included. */
function groupsOf(ip6: string): string[] {
  const [head = [], tail] = ip6.split('::').map((part) => part.split(':').filter(Boolean))
  const missing = MAX_GROUPS - head.length - (tail?.length ?? 0)
  return tail === undefined
    ? head
    : [...head, ...new Array(Math.max(0, missing)).fill('0'), ...tail]
}
