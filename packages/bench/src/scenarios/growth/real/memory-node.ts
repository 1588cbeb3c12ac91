import { yamux } from '@chainsafe/libp2p-yamux'
import { memory } from '@libp2p/memory'
import { plaintext } from '@libp2p/plaintext'
import { DHT, type DHTOptions } from '@waggle/dht'

/** Longer than a process that runs hundreds of nodes is ever busy with something else. */
const PATIENCE_MS = 300_000

/**
 * A node that others in the same process reach without a network and without encryption. libp2p
 * pings every connection several times a minute: where hundreds of nodes share a process, that is
 * nearly all that they do.
 */
export function memoryNode(
  options: DHTOptions,
  { isPinging }: { isPinging: boolean }
): Promise<DHT> {
  return DHT.create({
    bootstrapTimeoutMs: PATIENCE_MS,
    requestTimeoutMs: PATIENCE_MS,
    ...options,
    libp2pOptions: {
      transports: [memory()],
      connectionEncrypters: [plaintext()],
      streamMuxers: [yamux()],
      ...(!isPinging && { connectionMonitor: { enabled: false } })
    }
  })
}
