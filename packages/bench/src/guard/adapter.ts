// The public API of `@waggle/dht` as the guard uses it. Differences between the compared commits belong here only.
import { pathToFileURL } from 'node:url'
import type { DHT } from '@waggle/dht'

export interface GuardNode {
  readonly address: string
  store(key: string, value: Uint8Array): Promise<boolean>
  get(key: string, options?: { latest?: boolean }): Promise<Uint8Array | undefined>
  storeMany(entries: { key: string; value: Uint8Array }[]): Promise<boolean>
  getMany(keys: string[]): Promise<(Uint8Array | undefined)[]>

  /** Calls back with each new value until the node stops. */
  watch(key: string, onValue: (value: Uint8Array | undefined) => void): void
}

/** Seconds that values live: longer than a turn. */
const TTL = 3_600

/** Creates a node from the source of a checkout; `entry` is its entry file. */
export async function createNode(
  entry: string,
  { isClient = false, initialPeers = [] as readonly string[] }
): Promise<GuardNode> {
  const module = (await import(pathToFileURL(entry).href)) as { DHT: typeof DHT }
  const role = isClient ? { clientMode: true } : { listenOn: '127.0.0.1:0' }
  const dht = await module.DHT.create({ ...role, initialPeers })

  return {
    address: String(dht.multiaddrs[0]),
    store: async (key, value) => isStored(await dht.store(key, value, { ttl: TTL })),
    get: async (key, options = {}) => bytesOf(await dht.get(key, options)),
    storeMany: async (entries) => (await dht.storeMany(entries, { ttl: TTL })).every(isStored),
    getMany: async (keys) => (await dht.getMany(keys)).map(bytesOf),
    async watch(key, onValue) {
      for await (const event of dht.watch(key)) {
        onValue(bytesOf(event))
      }
    }
  }
}

/** A store resolves with whether it was acknowledged. */
function isStored(result: unknown): boolean {
  return result === true
}

/** A get resolves with what it found; a watch yields that, or an event that has it as `current`. */
function bytesOf(found: unknown): Uint8Array | undefined {
  const { value, current } = (found ?? {}) as { value?: unknown; current?: { value?: unknown } }
  const held = value ?? current?.value
  return held instanceof Uint8Array ? held : undefined
}
