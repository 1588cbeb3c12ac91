/** Copies named keys from a Hivemind swarm into a Waggle network, one way, with their expirations. */
import { DHT, type Value } from '@waggle/dht'
import { HivemindDHT, type HivemindKey } from '@waggle/hivemind'

/** Copies live values. Tuples become arrays, 1.0 becomes 1, and values that Waggle cannot store are left out. */
async function copy(from: HivemindDHT, to: DHT, keys: readonly string[]): Promise<number> {
  const found = await from.getMany(keys, { latest: true })
  const entries = found.flatMap((one, i) => {
    const key = keys[i] as string
    const places =
      one?.isDictionary === true ? [...one.value] : one ? [[undefined, one] as const] : []
    return places.map(([subkey, { value, expirationTime }]) => ({
      ...{ key, value: value as Value, expirationTime },
      subkey: subkey as Exclude<HivemindKey, object> | undefined
    }))
  })
  const stored = await Promise.allSettled(
    entries.map(({ key, value, ...options }) => to.store(key, value, options))
  )
  return stored.filter((one) => one.status === 'fulfilled' && one.value).length
}

const python = await HivemindDHT.create()
const hivemind = await HivemindDHT.create({ initialPeers: python.multiaddrs, clientMode: true })
const waggle = await DHT.create()
await python.store('loss', 0.25, { ttl: 60 })
await python.store('peers', 'ready', { subkey: 'alice', ttl: 60 })

console.log(`copied ${await copy(hivemind, waggle, ['loss', 'peers', 'missing'])} entries`)
console.log(`loss is ${(await waggle.get('loss'))?.value}`)
await Promise.all([waggle.stop(), hivemind.stop(), python.stop()])
