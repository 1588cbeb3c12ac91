/**
 * @packageDocumentation
 *
 * Connects pages of browsers with each other. Needs the package `@libp2p/webrtc`.
 */

export { webRTC } from '../node/webrtc.ts'
export type { IceServer, WebRTCOptions } from '../node/webrtc-transport-init.ts'
export type { Pages } from '../pages/pages.ts'
