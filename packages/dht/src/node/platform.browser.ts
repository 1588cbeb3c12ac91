import { webSockets } from '@libp2p/websockets'
import type { Multiaddr } from '@multiformats/multiaddr'
import { kadClient } from '../kad/kad-client.ts'
import { mergingKadDHT } from '../kad/merging-kad-dht.ts'
import { throughWebSocket } from '../peers/websocket-address.ts'
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
      'nobody can dial a browser, so it relays for nobody. Set it at a server, such as waggle serve --serve-relay'
  },
  async kadDHT(init) {
    return init.clientMode
      ? mergingKadDHT(kadClient, init)
      : (await import('../kad/waggle-kad-dht.ts')).waggleKadDHT(init)
  },
  async transports({ relay }) {
    // A page that only dials servers needs no relays.
    const relays = relay ? [(await import('./relay.ts')).relayTransport()] : []
    return [webSockets(), ...relays]
  },
  dialled: throughWebSockets,
  gater: browserGater
}

/** Each address once: TCP addresses are taken for the WebSockets on the same ports. */
function throughWebSockets(addresses: readonly Multiaddr[]): Multiaddr[] {
  const dialled = addresses.map(throughWebSocket)
  return [...new Map(dialled.map((address) => [String(address), address])).values()]
}
