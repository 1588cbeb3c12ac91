import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Libp2p } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { coalescingMuxer, unfragmentedWrites } from '@waggle/dht/connection'
import { createLibp2p } from 'libp2p'

/** Protocols: requests on one stream; the same in coalesced writes; one request per stream. */
export const STREAM = '/waggle-bench/stream/1.0.0'
export const COALESCED = '/waggle-bench/coalesced/1.0.0'
export const FRESH = '/waggle-bench/fresh/1.0.0'

/** Limits of streams. libp2p's own, 32 and 64, are below what the scenarios have in flight. */
export const MANY_STREAMS = { maxInboundStreams: 1024, maxOutboundStreams: 1024 } as const

/** Connections as libp2p makes them, or with the two layers that `DHT.create` puts around noise and yamux. */
export type Layers = 'stock' | 'layered'

/** Creates a libp2p node with Waggle's transport and nothing else. */
export function bareNode(layers: Layers, listen: string[] = []): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    ...(layers === 'stock'
      ? { connectionEncrypters: [noise()], streamMuxers: [yamux()] }
      : {
          connectionEncrypters: [unfragmentedWrites(noise())],
          streamMuxers: [coalescingMuxer(yamux())]
        })
  })
}
