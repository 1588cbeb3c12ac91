import type { Multiaddr } from '@multiformats/multiaddr'

/** Whether a connection's address is that of WebRTC between two peers of which nobody listens: pages of browsers. */
export function isBetweenPages(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === 'webrtc')
}
