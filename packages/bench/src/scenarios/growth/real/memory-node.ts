import { yamux } from '@chainsafe/libp2p-yamux'
import { memory } from '@libp2p/memory'
import { plaintext } from '@libp2p/plaintext'
import { DHT, type DHTOptions } from '@waggle/dht'

/** Longer than a process that runs hundreds of nodes is ever busy with something else. */
const PATIENCE_MS = 300_000

/** A node that others in the same process reach without a network and without encryption. */
export function memoryNode(options: DHTOptions): Promise<DHT> {
  return DHT.create({
    bootstrapTimeoutMs: PATIENCE_MS,
    requestTimeoutMs: PATIENCE_MS,
    ...options,
    libp2pOptions: {
      transports: [memory()],
      connectionEncrypters: [plaintext()],
      streamMuxers: [yamux()]
    }
  })
}
