import { DHT, type Found } from '@waggle/dht'
import { settle } from '../nodes/settle.ts'
import type { Client, Node, Place, Server, System } from './system.ts'

/** Seconds that values live: longer than any run. */
const TTL = 3_600

/** Time that a bulk call may take. */
const TIMEOUT_MS = 200_000

/** Waggle with its defaults: only the listening address and the initial peers are set. */
export const waggle: System = { startServer, startClient }

async function startServer({ host, bootstrap }: Place): Promise<Server> {
  const dht = await DHT.create({ listenOn: `${host}:0`, initialPeers: bootstrap })
  return { ...nodeOf(dht), address: String(dht.multiaddrs[0]) }
}

async function startClient({ bootstrap }: Place): Promise<Client> {
  const dht = await DHT.create({ clientMode: true, initialPeers: bootstrap })

  return {
    ...nodeOf(dht),
    store: (key, value) => dht.store(key, value, { ttl: TTL }),
    get: async (key) => bytesOf(await dht.get(key)),
    latest: async (key) => bytesOf(await dht.get(key, { latest: true })),
    async watch(key, onValue) {
      for await (const found of dht.watch(key)) {
        onValue(bytesOf(found))
      }
    },
    storeMany: (entries) => dht.storeMany(entries, { ttl: TTL, timeoutMs: TIMEOUT_MS }),
    getMany: async (keys) => (await dht.getMany(keys, { timeoutMs: TIMEOUT_MS })).map(bytesOf)
  }
}

function nodeOf(dht: DHT): Node {
  return { settle: (servers) => settle([dht], dht.clientMode ? servers : servers - 1) }
}

function bytesOf(found: Found | undefined): Uint8Array | undefined {
  return found?.value instanceof Uint8Array ? found.value : undefined
}
