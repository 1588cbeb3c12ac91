// A page that talks to other pages.
import { DHT } from '@waggle/dht'
import { webRTC } from '@waggle/dht/webrtc'

/** Counts the connections to other pages. */
function countPages({ libp2p }: DHT): number {
  const connections = libp2p.getConnections()
  return connections.filter(({ remoteAddr }) => String(remoteAddr).includes('/webrtc')).length
}

declare global {
  var talking: { DHT: typeof DHT; webRTC: typeof webRTC; countPages: typeof countPages }
}

globalThis.talking = { DHT, webRTC, countPages }
