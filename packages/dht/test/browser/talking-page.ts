// A page that talks to other pages.
import { multiaddr } from '@multiformats/multiaddr'
import { DHT } from '@waggle/dht'
import { webRTC } from '@waggle/dht/webrtc'

/** Counts the connections to other pages, and those through relays. */
function countConnections({ libp2p }: DHT): { pages: number; relayed: number } {
  const connections = libp2p.getConnections()
  return {
    pages: connections.filter(({ remoteAddr }) => String(remoteAddr).includes('/webrtc')).length,
    relayed: connections.filter(({ limits }) => limits !== undefined).length
  }
}

declare global {
  var talking: {
    DHT: typeof DHT
    webRTC: typeof webRTC
    countConnections: typeof countConnections
    multiaddr: typeof multiaddr
  }
}

globalThis.talking = { DHT, webRTC, countConnections, multiaddr }
