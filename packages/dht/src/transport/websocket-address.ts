import type { Multiaddr } from '@multiformats/multiaddr'

const HOSTS: ReadonlySet<string> = new Set(['ip4', 'ip6', 'dns', 'dns4', 'dns6'])

/** Layers over TCP that make a WebSocket, in the two ways in which they are written. */
const PLAIN = ['ws']
const SECURE = ['tls ws', 'wss']

/** Where a WebSocket address leads. */
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
