import { DHT, type DHTOptions, getDHTTime, waggle, waggleKadDHT } from '@waggle/dht'
import { basicServices, libp2pNode } from './libp2p-node.ts'

/**
 * Starts a DHT whose clock is some seconds ahead of the system's. Disposing of it stops its node, too.
 */
export async function skewedDHT(aheadS: number, options: DHTOptions = {}): Promise<DHT> {
  const libp2p = await libp2pNode({
    ...basicServices(),
    dht: waggleKadDHT({ records: { clock: () => getDHTTime() + aheadS } }),
    waggle: waggle()
  })

  try {
    const dht = await DHT.create({ libp2p, ...options })
    const stopDHT = dht.stop.bind(dht)
    return Object.assign(dht, {
      stop: async () => {
        await stopDHT()
        await libp2p.stop()
      }
    })
  } catch (error) {
    await libp2p.stop()
    throw error
  }
}
