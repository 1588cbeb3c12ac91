// A process with one node of @waggle/hivemind, which runs the functions that the parent process calls.
import { HivemindDHT, type HivemindKey, type HivemindValue } from '@waggle/hivemind'
import { serve } from '../../processes/serve.ts'

let dht: HivemindDHT

serve({
  async start({ options }: { options: { initialPeers?: string[] } }): Promise<string[][]> {
    dht = await HivemindDHT.create({ initialPeers: options.initialPeers })
    return [dht.multiaddrs.map(String)]
  },

  store({ key, value, ...options }: StoreParams): Promise<boolean> {
    return dht.store(key, value, options)
  },

  async get({ key, latest }: { key: HivemindKey; latest: boolean }) {
    const found = await dht.get(key, { latest })
    return found && { value: found.isDictionary ? [...found.value] : found.value }
  }
})

interface StoreParams {
  readonly key: HivemindKey
  readonly value: HivemindValue
  readonly subkey?: HivemindKey
  readonly expirationTime: number
}
