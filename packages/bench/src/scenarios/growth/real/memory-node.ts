import { yamux } from '@chainsafe/libp2p-yamux'
import { memory } from '@libp2p/memory'
import { plaintext } from '@libp2p/plaintext'
import { DHT, type DHTOptions } from '@waggle/dht'

/** A node that others in the same process reach without a network and without encryption. */
export function memoryNode(options: DHTOptions): Promise<DHT> {
  return DHT.create({
    ...options,
    libp2pOptions: {
      transports: [memory()],
      connectionEncrypters: [plaintext()],
      streamMuxers: [yamux()]
    }
  })
}
