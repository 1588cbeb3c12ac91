// The public API of `@waggle/dht` as the systems' processes use it. The guard runs it on another commit, too:
// differences between the compared commits belong here only.
import { pathToFileURL } from 'node:url'
import type { DHT } from '@waggle/dht'
import { settle } from '../nodes/settle.ts'
import type { Client, Node, Place, Server, System } from './system.ts'

/** Seconds that values live: longer than any run. */
const TTL = 3_600

/** Time that a bulk call may take. */
const TIMEOUT_MS = 200_000

interface Waggle extends System {
  startServer(place: Place): Promise<Server & Client>
}

/**
 * Waggle with its defaults: only the listening address and the initial peers are set. `entry` is the entry file of
 * another checkout, of which only nodes, stores, gets and watches are used.
 */
export function waggle(entry?: string): Waggle {
  const load = async () => {
    const name = entry === undefined ? '@waggle/dht' : pathToFileURL(entry).href
    return ((await import(name)) as { DHT: typeof DHT }).DHT
  }
  const nodeOf = (dht: DHT): Node => ({
    settle: async (servers) => {
      await (entry === undefined && settle([dht], dht.clientMode ? servers : servers - 1))
    }
  })

  return {
    async startServer({ host, bootstrap }) {
      const options = { listenOn: `${host}:0`, initialPeers: bootstrap }
      const dht = await (await load()).create(options)
      return { ...nodeOf(dht), ...operationsOf(dht), address: String(dht.multiaddrs[0]) }
    },
    async startClient({ bootstrap }) {
      const dht = await (await load()).create({ clientMode: true, initialPeers: bootstrap })
      return { ...nodeOf(dht), ...operationsOf(dht) }
    }
  }
}

function operationsOf(dht: DHT): Omit<Client, keyof Node> {
  return {
    store: async (key, value) => isStored(await dht.store(key, value, { ttl: TTL })),
    get: async (key) => bytesOf(await dht.get(key)),
    latest: async (key) => bytesOf(await dht.get(key, { latest: true })),
    async watch(key, onValue) {
      for await (const event of dht.watch(key)) {
        onValue(bytesOf(event))
      }
    },
    storeMany: async (entries) => {
      const results = await dht.storeMany(entries, { ttl: TTL, timeoutMs: TIMEOUT_MS })
      return results.map(isStored)
    },
    getMany: async (keys) => (await dht.getMany(keys, { timeoutMs: TIMEOUT_MS })).map(bytesOf)
  }
}

/** A store resolves with whether it was acknowledged. */
function isStored(result: unknown): boolean {
  return result === true
}

/** Returns the bytes in the result of a get. A watch yields the same, or an event that has it as `current`. */
function bytesOf(found: unknown): Uint8Array | undefined {
  const { value, current } = (found ?? {}) as { value?: unknown; current?: { value?: unknown } }
  const held = value ?? current?.value
  return held instanceof Uint8Array ? held : undefined
}
