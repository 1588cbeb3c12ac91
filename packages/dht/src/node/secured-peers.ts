import type { MessageStream, PeerId } from '@libp2p/interface'

/** Who is at the other end of each encrypted connection: a muxer is not told. */
export const securedPeers: WeakMap<MessageStream, PeerId> = new WeakMap()
