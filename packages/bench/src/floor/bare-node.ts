import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Libp2p } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { coalescingMuxer, unfragmentedWrites } from '@waggle/dht'
import { createLibp2p } from 'libp2p'

/** A request on a stream that stays open, as many as one likes. */
export const STREAM_PROTOCOL = '/waggle-bench/stream/1.0.0'

/** The same, where all frames of one microtask go out in one write, on both sides. */
export const COALESCED_PROTOCOL = '/waggle-bench/coalesced/1.0.0'

/** A request on a stream of its own. */
export const FRESH_PROTOCOL = '/waggle-bench/fresh/1.0.0'

/** libp2p's own limits, 32 and 64, are less than the scenarios have in flight. */
export const MANY_STREAMS = { maxInboundStreams: 1024, maxOutboundStreams: 1024 } as const

/** What each request and each answer holds: about as much as a small record with its key. */
export const MESSAGE_BYTES = 200

/** What streams are made of: libp2p as it comes, or with the two layers that `DHT.create` puts around noise and yamux. */
export type Layers = 'stock' | 'layered'

export interface BareNodeOptions {
  readonly layers: Layers
  readonly listen: readonly string[]
}

/** A libp2p node with the transport that Waggle uses, and nothing else. */
export async function bareNode({ layers, listen }: BareNodeOptions): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen: [...listen] },
    transports: [tcp()],
    ...(layers === 'stock'
      ? { connectionEncrypters: [noise()], streamMuxers: [yamux()] }
      : {
          connectionEncrypters: [unfragmentedWrites(noise())],
          streamMuxers: [coalescingMuxer(yamux())]
        })
  })
}
