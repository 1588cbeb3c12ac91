import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { MAX_DIALLED_ADDRESSES } from './limits.ts'

/** Protocols of addresses that contain a DNS name instead of a host's address. */
const NAMES: ReadonlySet<string> = new Set(['dns', 'dns4', 'dns6', 'dnsaddr'])

/** The code of /dnsaddr in an address's bytes. */
const DNSADDR_CODE = 0x38

/** Whether an address requires a DNS lookup. */
export function hasHostName(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => NAMES.has(name))
}

/** Whether an address stands for a list of addresses in DNS, which may be long and contain further lists. */
export function isAddressList(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === 'dnsaddr')
}

/** Whether an encoded address stands for such a list. False for bytes that are not an address. */
export function isEncodedAddressList(bytes: Uint8Array): boolean {
  try {
    return bytes.includes(DNSADDR_CODE) && isAddressList(multiaddr(bytes))
  } catch {
    return false
  }
}

/**
 * Maximum number of dials for a peer's addresses: a name has several addresses, which are dialled one after the
 * other.
 */
export function dialsTo(addresses: readonly Multiaddr[]): number {
  return addresses.reduce(
    (sum, address) => sum + (hasHostName(address) ? MAX_DIALLED_ADDRESSES : 1),
    0
  )
}
