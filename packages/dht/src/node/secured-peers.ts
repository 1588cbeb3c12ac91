import type { MessageStream, PeerId } from '@libp2p/interface'

/** The remote peer of each encrypted connection, which libp2p does not pass to a muxer. */
export const securedPeers: WeakMap<MessageStream, PeerId> = new WeakMap()
