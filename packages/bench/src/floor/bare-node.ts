import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'

/** Protocols: requests on one stream, and the same in coalesced writes. */
export const STREAM = '/waggle-bench/stream/1.0.0'
export const COALESCED = '/waggle-bench/coalesced/1.0.0'

/** Creates a libp2p node with Waggle's transport and nothing else. */
export function bareNode(listen: string[] = []): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()]
  })
}
