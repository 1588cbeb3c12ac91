import type { ConnectionGater } from '@libp2p/interface'
import { isPrivate } from '@libp2p/utils'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { webSocketTarget } from '../peers/websocket-address.ts'
import { hasHostName } from '../wire/host-names.ts'

/** Host names in the local network. */
const LOCAL_NAME = /^[^.]+$|\.(local|localhost|internal|lan|home\.arpa)$/

/** The addresses that a browser resolves `localhost` to. */
const LOOPBACK = ['/ip4/127.0.0.1', '/ip6/::1']

/**
 * Denies addresses from other peers that are in the local network or that the page may not dial. The caller's
 * addresses are exempt. A gater with its own rule is used unchanged.
 */
export function browserGater(
  gater: ConnectionGater = {},
  given: readonly Multiaddr[] = []
): ConnectionGater {
  const exempt = new Set(given.flatMap(alternatives))
  return {
    denyDialMultiaddr: (address) => {
      const dialled = relayOf(address) ?? address
      return !exempt.has(withoutPeerId(dialled)) && isRisky(dialled)
    },
    ...gater
  }
}

function alternatives(address: Multiaddr): string[] {
  const given = withoutPeerId(address)
  return [given, ...LOOPBACK.map((host) => given.replace(/^\/dns\/localhost/, host))]
}

/** The address of the relay in a relayed address. */
function relayOf(address: Multiaddr): Multiaddr | undefined {
  const [relay = '', ...others] = address.toString().split('/p2p-circuit')
  return relay === '' || others.length === 0 ? undefined : multiaddr(relay)
}

/** The address without the peer's id. */
function withoutPeerId(address: Multiaddr): string {
  return address.toString().replace(/\/p2p\/[^/]+$/, '')
}

function isRisky(address: Multiaddr): boolean {
  const target = webSocketTarget(address)

  if (target === undefined) {
    return isPrivate(address)
  }

  if (target.isSecure) {
    return isPrivate(address) || (hasHostName(address) && LOCAL_NAME.test(target.host))
  }

  // Without TLS, a name may lead anywhere.
  return isPrivate(address) || hasHostName(address) || isSecurePage()
}

/** Whether the page came over TLS, so that the browser refuses connections without it. */
function isSecurePage(): boolean {
  const location: unknown = Reflect.get(globalThis, 'location')
  return Reflect.get(Object(location), 'protocol') === 'https:'
}
