import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { MAX_DIALLED_ADDRESSES } from './limits.ts'

/** Protocols by which an address has a name in DNS, and not an address of a host. */
const NAMES: ReadonlySet<string> = new Set(['dns', 'dns4', 'dns6', 'dnsaddr'])

/** The code of /dnsaddr in an address's bytes. */
const DNSADDR_CODE = 0x38

/** Whether only DNS knows where an address is. */
export function hasHostName(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => NAMES.has(name))
}

/** Whether an address stands for a list of addresses in DNS, which may be long and name others again. */
export function isAddressList(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === 'dnsaddr')
}

/** The same of an address's bytes. False for bytes that are no address. */
export function isEncodedAddressList(bytes: Uint8Array): boolean {
  try {
    return bytes.includes(DNSADDR_CODE) && isAddressList(multiaddr(bytes))
  } catch {
    return false
  }
}

/** Dials that a peer's addresses may come to: a name has several addresses, which are tried one after the other. */
export function dialsTo(addresses: readonly Multiaddr[]): number {
  return addresses.reduce(
    (sum, address) => sum + (hasHostName(address) ? MAX_DIALLED_ADDRESSES : 1),
    0
  )
}
