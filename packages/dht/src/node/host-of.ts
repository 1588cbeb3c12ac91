import type { Multiaddr } from '@multiformats/multiaddr'

/** Groups of an IPv6 address that a provider gives one customer at least (RFC 6177). */
const SITE_GROUPS = 4
const MAX_GROUPS = 8

/** The first groups of an IPv4 address that is written as an IPv6 one. */
const IP4_PREFIX = '0:0:0:0:0:ffff'

/**
 * Who is at an address, as far as it can be told: an IPv4 address, or the first half of an IPv6
 * address, all of whose second half one customer has. Undefined where there is neither, such as in a page.
 */
export function hostOf(address: Multiaddr): string | undefined {
  for (const { name, value = '' } of address.getComponents()) {
    if (name === 'ip4') {
      return value
    }

    if (name === 'ip6') {
      return siteOf(value)
    }
  }

  return undefined
}

function siteOf(ip6: string): string {
  const groups = groupsOf(ip6.toLowerCase())
  const isMapped = groups.slice(0, 6).join(':') === IP4_PREFIX
  return (isMapped ? groups.slice(6) : groups.slice(0, SITE_GROUPS)).join(':')
}

/** All groups of an address, those that are left out included. */
function groupsOf(ip6: string): string[] {
  const [head = [], tail] = ip6.split('::').map((part) => part.split(':').filter(Boolean))
  const missing = MAX_GROUPS - head.length - (tail?.length ?? 0)
  return tail === undefined
    ? head
    : [...head, ...new Array(Math.max(0, missing)).fill('0'), ...tail]
}
