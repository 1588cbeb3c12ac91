import { peerIdFromString } from '@libp2p/peer-id'
import { isMultiaddr, type Multiaddr, multiaddr } from '@multiformats/multiaddr'

/**
 * An address: `'host:port'`, `'[::1]:port'`, `':port'`, `'wss://host'`, `'ws://host:port'`, each with or without `/p2p/<id>`,
 * or a multiaddr as a string or an object.
 */
export type Address = string | Multiaddr

const FORMS =
  'use host:port such as 127.0.0.1:1337, [::1]:1337 or :1337, a WebSocket such as wss://example.org, or a multiaddr such as /ip4/127.0.0.1/tcp/1337'
const ALL_INTERFACES = '0.0.0.0'
const THIS_MACHINE = '127.0.0.1'
const HOST_AND_PORT =
  /^(?:\[(?<ip6>[^\]]+)\]|(?<host>[^:/\s[\]]*)):(?<port>\d{1,5})(?<id>\/p2p\/[^/\s]+)?$/

/** The scheme of a WebSocket, its host, and the port unless it is the usual one. */
const WEB_SOCKET =
  /^(?<scheme>wss?):\/\/(?<host>[^:/\s[\]]+|\[[^\]]+\])(?<port>:\d{1,5})?\/?(?<id>\/p2p\/[^/\s]+)?$/
const PORTS: Readonly<Record<string, string>> = { ws: ':80', wss: ':443' }
const LAYERS: Readonly<Record<string, string>> = { ws: '/ws', wss: '/tls/ws' }

/**
 * Returns the multiaddr to listen on. `':port'` means all IPv4 interfaces, port 0 any free one.
 *
 * @throws TypeError naming the option
 */
export function listenAddress(address: unknown, option: string): Multiaddr {
  return parseAddress(address, option, (host) => {
    if (host === '' || host === '*') {
      return ALL_INTERFACES
    }

    if (host === 'localhost') {
      return THIS_MACHINE
    }

    if (!isIPv4(host)) {
      throw refusal(option, address, 'has a host name, but a node listens on IP addresses')
    }

    return host
  })
}

/**
 * Returns the multiaddr to dial. Host names are resolved when it is dialled; `':port'` means
 * `localhost`, which covers IPv4 and IPv6.
 *
 * @throws TypeError naming the option
 */
export function peerAddress(address: unknown, option: string): Multiaddr {
  return parseAddress(address, option, (host) => (host === '' ? 'localhost' : host))
}

/**
 * Returns the multiaddr to announce. Others can't dial port 0.
 *
 * @throws TypeError naming the option
 */
export function announcedAddress(address: unknown, option: string): Multiaddr {
  const announced = parseAddress(address, option, (host) =>
    host === '' || host === 'localhost' ? THIS_MACHINE : host
  )

  if (announced.getComponents().some(({ name, value }) => isPort(name) && value === '0')) {
    throw refusal(option, address, 'has port 0, which can not be dialled')
  }

  return announced
}

function isPort(protocol: string): boolean {
  return protocol === 'tcp' || protocol === 'udp'
}

function parseAddress(
  address: unknown,
  option: string,
  resolve: (host: string) => string
): Multiaddr {
  if (typeof address !== 'string' && !isMultiaddr(address)) {
    throw refusal(option, address, 'is not an address')
  }

  const isHostAndPort = typeof address === 'string' && !address.startsWith('/')
  const given = isHostAndPort ? fromText(address, option, resolve) : address

  try {
    return assertDialable(typeof given === 'string' ? multiaddr(given) : given)
  } catch (cause) {
    throw refusal(option, address, 'is not an address', cause)
  }
}

function fromText(address: string, option: string, resolve: (host: string) => string): string {
  const { scheme, host = '', port, id = '' } = WEB_SOCKET.exec(address)?.groups ?? {}

  return scheme === undefined
    ? fromHostAndPort(address, option, resolve)
    : `${fromHostAndPort(`${host}${port ?? PORTS[scheme]}`, option, resolve)}${LAYERS[scheme]}${id}`
}

function fromHostAndPort(
  address: string,
  option: string,
  resolve: (host: string) => string
): string {
  const { ip6, host = '', port = '', id = '' } = HOST_AND_PORT.exec(address)?.groups ?? {}

  if (port === '') {
    throw refusal(option, address, 'is not an address')
  }

  if (Number(port) > 65_535) {
    throw refusal(option, address, 'has a port beyond 65535')
  }

  if (ip6 !== undefined) {
    return `/ip6/${ip6}/tcp/${port}${id}`
  }

  const resolved = resolve(host)
  return `/${isIPv4(resolved) ? 'ip4' : 'dns'}/${resolved}/tcp/${port}${id}`
}

/**
 * Checks for faults that the multiaddr parser accepts and dialling does not: no components, or an invalid peer id.
 */
function assertDialable(address: Multiaddr): Multiaddr {
  const components = address.getComponents()

  if (components.length === 0) {
    throw new Error('a multiaddr names at least one protocol')
  }

  for (const { name, value = '' } of components) {
    if (name === 'p2p') {
      peerIdFromString(value)
    }
  }

  return address
}

function isIPv4(host: string): boolean {
  return /^[\d.]+$/.test(host)
}

function refusal(option: string, address: unknown, fault: string, cause?: unknown): TypeError {
  const shown = typeof address === 'string' ? JSON.stringify(address) : String(address)
  return new TypeError(`${option}: ${shown} ${fault}; ${FORMS}`, { cause })
}
