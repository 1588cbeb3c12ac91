import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'

const HOSTS: ReadonlySet<string> = new Set(['ip4', 'ip6', 'dns', 'dns4', 'dns6'])

/** Protocols of a WebSocket over TCP, in both notations. */
const PLAIN = ['ws']
const SECURE = ['tls ws', 'wss']

/** The port of a server, with or without the peer's id. */
const TCP_PORT = /^(\/(?:ip4|ip6|dns[46]?)\/[^/]+\/tcp\/\d+)(?=\/p2p\/[^/]+$|$)/

/** The target of a WebSocket address. */
export interface WebSocketTarget {
  readonly host: string
  readonly port: number
  readonly isSecure: boolean

  /** The name that the certificate is for. */
  readonly serverName: string
}

/** Reads an address of a WebSocket, with or without the peer's id. Undefined for any other. */
export function webSocketTarget(address: Multiaddr): WebSocketTarget | undefined {
  const components = address
    .getComponents()
    .filter(({ name }) => name !== 'ip6zone' && name !== 'sni')
  const [host, tcp, ...layers] = components
  const names = layers.map(({ name }) => name)
  const over = (names.at(-1) === 'p2p' ? names.slice(0, -1) : names).join(' ')
  const isSecure = SECURE.includes(over)

  if (!HOSTS.has(host?.name ?? '') || tcp?.name !== 'tcp' || !(isSecure || PLAIN.includes(over))) {
    return undefined
  }

  const { value = '' } = host ?? {}
  const sni = address.getComponents().find(({ name }) => name === 'sni')
  return { host: value, port: Number(tcp.value), isSecure, serverName: sni?.value ?? value }
}

/** Converts a server's TCP address to that of the WebSocket on the same port. */
export function throughWebSocket(address: Multiaddr): Multiaddr {
  return multiaddr(address.toString().replace(TCP_PORT, '$1/ws'))
}

/** Leaves out WebSockets on TCP ports that are listed, too: they lead to the same peers. */
export function withoutTwins(addresses: readonly Multiaddr[]): Multiaddr[] {
  const twins = new Set(addresses.filter(isTcpPort).map((one) => String(throughWebSocket(one))))
  return addresses.filter((address) => !twins.has(String(address)))
}

/** Whether an address is a TCP port of a peer, on which something else may be carried. */
export function isTcpPort(address: Multiaddr): boolean {
  return TCP_PORT.test(address.toString())
}
