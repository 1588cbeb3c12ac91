import type { WebRTCTransportFactory } from './webrtc-transport-init.ts'

/** Node has no WebRTC, and needs none: pages dial it. */
export const webRTCTransport: WebRTCTransportFactory = () => {
  throw new TypeError(
    'webRTC() is for pages in browsers: other nodes listen, so that everybody can dial them (listenOn)'
  )
}
