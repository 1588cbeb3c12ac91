import type { Pages } from '../pages/pages.ts'

/** A server by which browsers find a way to each other: STUN tells a page its public address, TURN relays. */
export interface IceServer {
  readonly urls: string | readonly string[]
  readonly username?: string
  readonly credential?: string
}

/** Options of `webRTC()`. */
export interface WebRTCOptions {
  /**
   * STUN and TURN servers. Pages that are in one local network need none.
   *
   * @default the public STUN servers that `@libp2p/webrtc` names
   */
  iceServers?: readonly IceServer[] | undefined
}

/** Creates libp2p's transport between pages. */
export type WebRTCTransportFactory = (options: WebRTCOptions) => Pages['transport']
