import { webSockets } from '@libp2p/websockets'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { browserGater } from './browser-gater.ts'
import type { Platform } from './platform-interface.ts'

const KEEP = 'openIndexedDB() from @waggle/dht/indexeddb keeps records and the identity'

/** Pages and their workers. */
export const platform: Platform = {
  isBrowser: true,
  refusals: {
    listenOn: 'a browser can’t listen. Leave it out, and name servers as initialPeers',
    dataDir: `a browser has no directories: ${KEEP}`,
    identityPath: `a browser has no files: ${KEEP}, or give a privateKey`,
    serveRelay:
      'nobody can dial a browser, so it relays for nobody. Set it at a server, such as waggle serve --relay'
  },
  async transports({ relay }) {
    // A page that only dials servers has no use for relays.
    const relays = relay ? [(await import('./relay.ts')).relayTransport()] : []
    return [webSockets(), ...relays]
  },
  dialled: throughWebSocket,
  gater: browserGater
}

/** The port of a server, with the peer's id or without. */
const TCP_PORT = /^(\/(?:ip4|ip6|dns[46]?)\/[^/]+\/tcp\/\d+)(?=\/p2p\/[^/]+$|$)/

/** Turns the TCP address of a server into that of the WebSocket on the same port. */
function throughWebSocket(address: Multiaddr): Multiaddr {
  return multiaddr(address.toString().replace(TCP_PORT, '$1/ws'))
}
