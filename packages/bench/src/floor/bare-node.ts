import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { coalescingMuxer, unfragmentedWrites } from '@waggle/dht/connection'
import { createLibp2p } from 'libp2p'

/** Protocols: requests on one stream, and the same in coalesced writes. */
export const STREAM = '/waggle-bench/stream/1.0.0'
export const COALESCED = '/waggle-bench/coalesced/1.0.0'

/** Streams as libp2p makes them, or with Waggle's layers around noise and yamux. */
export type Layers = 'stock' | 'layered'

/** Creates a libp2p node with Waggle's transport and nothing else. */
export function bareNode(layers: Layers, listen: string[] = []): Promise<Libp2p> {
  const isLayered = layers === 'layered'
  return createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [isLayered ? unfragmentedWrites(noise()) : noise()],
    streamMuxers: [isLayered ? coalescingMuxer(yamux()) : yamux()]
  })
}
