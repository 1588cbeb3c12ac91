import type { Multiaddr } from '@multiformats/multiaddr'

/** Groups of an IPv6 address that a provider gives one customer at least (RFC 6177). */
const SITE_GROUPS = 4

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
  // An IPv4 address within an IPv6 one.
  if (ip6.includes('.')) {
    return ip6.slice(ip6.lastIndexOf(':') + 1)
  }

  const [head = '', tail] = ip6.toLowerCase().split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = Math.max(0, 2 * SITE_GROUPS - first.length - last.length)
  const groups = tail === undefined ? first : [...first, ...Array(missing).fill('0'), ...last]
  return groups.slice(0, SITE_GROUPS).join(':')
}
