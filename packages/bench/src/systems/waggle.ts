import { DHT, type Found } from '@waggle/dht'
import { until } from '../workload/until.ts'
import type { Client, Entry, Node, Place, Server, System } from './system.ts'

/** Seconds: longer than any run. */
const TTL = 3_600

/** Longer than anything in bulk takes. */
const BULK_TIMEOUT_MS = 200_000

/** As many peers as a node's own search of its surroundings asks for. */
const SURROUNDINGS = 20

/** Waggle as its users have it: nothing is set but where to listen and whom to join. */
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
    watch(key, onValue) {
      const loop = dht.watch(key)
      void deliver(loop, onValue)
      return () => void loop.return?.()
    },
    storeMany: (entries: Iterable<Entry>) =>
      dht.storeMany(entries, { ttl: TTL, timeoutMs: BULK_TIMEOUT_MS }),
    getMany: async (keys: Iterable<string>) => {
      const found = await dht.getMany(keys, { timeoutMs: BULK_TIMEOUT_MS })
      return found.map(bytesOf)
    }
  }
}

async function deliver(
  loop: AsyncIterable<Found | undefined>,
  onValue: (value: Uint8Array | undefined) => void
): Promise<void> {
  for await (const found of loop) {
    onValue(bytesOf(found))
  }
}

function nodeOf(dht: DHT): Node {
  return {
    settle: (servers) => settle(dht, dht.clientMode ? servers : servers - 1),
    stop: () => dht.stop()
  }
}

/** A search for a node's own surroundings makes it and them known to each other. */
async function settle(dht: DHT, others: number): Promise<void> {
  const lookAround = async (): Promise<boolean> => {
    await dht.findNearestPeers(dht.peerId.toString(), { count: SURROUNDINGS })
    return dht.stats().knownPeers >= Math.min(others, SURROUNDINGS)
  }

  await until(lookAround, { what: `${others} peers are known` })
}

function bytesOf(found: Found | undefined): Uint8Array | undefined {
  return found?.value instanceof Uint8Array ? found.value : undefined
}
