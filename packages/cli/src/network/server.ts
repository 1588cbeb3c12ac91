import { DHT, type DHTOptions } from '@waggle/dht'
import { LOCAL_HOST, takenPorts } from './local-ports.ts'

/** Attempts to start. Another process may take a port between the probe and the attempt. */
const MAX_ATTEMPTS = 20

/**
 * Starts a node on the first free port for nodes of this machine. The nodes on the other ports are its initial
 * peers, unless the options name some. It may be the first node.
 */
export async function startLocally(ports: readonly number[], options: DHTOptions): Promise<DHT> {
  for (let attempt = 1; ; attempt++) {
    const taken = await takenPorts(ports)
    const port = ports.find((port) => !taken.includes(port)) ?? 0

    try {
      return await DHT.create({
        requireBootstrap: false,
        ...options,
        initialPeers: options.initialPeers ?? taken.map((port) => `${LOCAL_HOST}:${port}`),
        listenOn: `${LOCAL_HOST}:${port}`
      })
    } catch (error) {
      const isTaken = error instanceof Error && error.name === 'ListenError'

      if (!isTaken || attempt === MAX_ATTEMPTS) {
        throw error
      }
    }
  }
}
