import { nodesProcess, storeAll } from '../../nodes/nodes-process.ts'
import { freePort, type LinkSpeed, SlowLink } from '../../nodes/slow-link.ts'
import { Child, nodeCommand } from '../../processes/child.ts'
import { percentile } from '../../workload/statistics.ts'
import type { LinkClientHandlers, Transfer } from './client-main.ts'

/** Servers, each of which stores all records. */
export const SERVERS = 2
export const VALUE_BYTES = 4096

/** Subkeys of the largest record: a dictionary of values of the maximum size. */
export const LARGE_SUBKEYS = 4
export const LARGE_VALUE_BYTES = 250_000
const SMALL_KEYS = 50
export const SMALL_EVERY_MS = 50
const TTL = 3600

/** One transfer over one link. */
export interface Row {
  readonly link: string
  readonly transfer: string
  readonly right: number
  readonly count: number
  readonly share: number
  readonly aloneMs: number
  readonly nextToMs: number
  readonly failedSmall: number

  /** Error with which the transfer ended. */
  readonly error?: string | undefined
}

interface Duration {
  readonly seconds: number
  readonly requestTimeoutMs: number
}

/** Measures three transfers over one link. */
export async function measure(
  speed: LinkSpeed,
  { seconds, requestTimeoutMs }: Duration,
  signal: AbortSignal
): Promise<Row[]> {
  await using link = new SlowLink(speed)
  await using servers = nodesProcess({ signal })
  const main = new URL('client-main.ts', import.meta.url)
  await using client = new Child<LinkClientHandlers>(nodeCommand(main), { signal })
  const initialPeers = await startServers(servers, link)
  const count = Math.ceil((link.bytesPerMs * seconds * 1000) / VALUE_BYTES)
  const keys = keysOf(count)
  await storeAll([servers], entriesOf(keys), 1)
  await client.call('join', { initialPeers, requestTimeoutMs })
  const small = { keys: keys.small, everyMs: SMALL_EVERY_MS }
  await client.call('small', { ...small, forMs: 1000 })
  const alone = await client.call('small', { ...small, forMs: seconds * 1000 })
  const rows: Row[] = []

  for (const [transfer, sentBytes] of transfersOf(keys)) {
    const result = await client.call('transfer', { ...transfer, small })
    rows.push({
      link: `${speed.mbitPerSecond} Mbit/s, ${speed.delayMs} ms`,
      transfer: `${transfer.kind} × ${transfer.keys.length}`,
      ...{ right: result.right, count: transfer.keys.length },
      share: sentBytes / (link.bytesPerMs * result.elapsedMs),
      ...{ aloneMs: percentile(alone, 0.95), nextToMs: percentile(result.small, 0.95) },
      ...{ failedSmall: result.failedSmall, error: result.error }
    })
  }

  return rows
}

/** Starts servers that reach each other outside the link. Resolves with their addresses behind it. */
async function startServers(
  servers: ReturnType<typeof nodesProcess>,
  link: SlowLink
): Promise<string[]> {
  const addresses: string[] = []
  const direct: string[] = []

  for (let i = 0; i < SERVERS; i++) {
    const port = await freePort()
    const listenOn = `127.0.0.1:${port}`
    const announce = [`127.0.0.1:${await link.open(() => port)}`]
    const options = { listenOn, announce, initialPeers: direct.slice(0, 1) }
    await servers.call('start', { options })
    addresses.push(...announce)
    direct.push(listenOn)
  }

  return addresses
}

type Keys = Readonly<Record<'bulk' | 'small' | 'large', readonly string[]>>

/** Lists the keys of bulk, and keys of large records with as many bytes. */
function keysOf(count: number): Keys {
  const large = Math.max(1, Math.round((count * VALUE_BYTES) / (LARGE_SUBKEYS * LARGE_VALUE_BYTES)))
  const list = (name: string, length: number) => Array.from({ length }, (_, i) => `${name} ${i}`)
  return {
    bulk: list('bulk', count),
    small: list('small', SMALL_KEYS),
    large: list('large', large)
  }
}

function entriesOf({ bulk, small, large }: Keys) {
  const entryOf = (key: string, bytes: number) => ({ key, value: 'x'.repeat(bytes), ttl: TTL })
  const subkeys = Array.from({ length: LARGE_SUBKEYS }, (_, subkey) => subkey)
  return [
    ...bulk.map((key) => entryOf(key, VALUE_BYTES)),
    ...small.map((key) => entryOf(key, 8)),
    ...large.flatMap((key) =>
      subkeys.map((subkey) => ({ ...entryOf(key, LARGE_VALUE_BYTES), subkey }))
    )
  ]
}

/** Lists the transfers with the bytes that each sends over the link. */
function transfersOf({ bulk, large }: Keys): (readonly [Transfer, number])[] {
  const bulkBytes = bulk.length * VALUE_BYTES
  const own = bulk.map((key) => `own ${key}`)
  return [
    [{ kind: 'getMany', keys: bulk, bytes: VALUE_BYTES }, bulkBytes],
    [{ kind: 'storeMany', keys: own, bytes: VALUE_BYTES }, SERVERS * bulkBytes],
    [{ kind: 'get', keys: large, bytes: 0 }, large.length * LARGE_SUBKEYS * LARGE_VALUE_BYTES]
  ]
}
