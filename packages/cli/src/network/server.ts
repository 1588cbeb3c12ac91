import { DHT, type DHTOptions } from '@waggle/dht'
import { LOCAL_HOST, takenPorts } from './local-ports.ts'

/** Somebody else may take a port between our look and our attempt. */
const MAX_ATTEMPTS = 20

/**
 * Starts a node among those of this machine: at the first port of theirs that is free, and with all
 * others as initial peers, unless some are named. Nobody has to be there yet.
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
