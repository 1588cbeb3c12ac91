import { waggleKadDHT } from '../kad/waggle-kad-dht.ts'
import { withoutTwins } from '../peers/websocket-address.ts'
import { sharedPort } from '../transport/shared-port.ts'
import { noiseCrypto } from './noise-crypto.ts'
import type { Platform } from './platform-interface.ts'
import { relayTransport } from './relay.ts'

/** Node, Bun and Deno. */
export const platform: Platform = {
  isBrowser: false,
  refusals: {
    pages:
      'pages are in browsers. This node needs no WebRTC: others dial it where it listens (listenOn)'
  },
  // All nodes of a process share it.
  noiseCrypto: noiseCrypto(),
  kadDHT: async (init) => waggleKadDHT(init),
  transports: async ({ places }) => [sharedPort(places), relayTransport()],
  dialled: withoutTwins,
  gater: (gater) => gater
}
