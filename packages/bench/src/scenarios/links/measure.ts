import type { StoreEntry } from '@waggle/dht'
import { nodesProcess, storeAll } from '../../nodes/nodes-process.ts'
import { freePort, type LinkSpeed, SlowLink } from '../../nodes/slow-link.ts'
import { Child, nodeCommand } from '../../processes/child.ts'
import { percentile } from '../../workload/statistics.ts'
import type { LinkClientHandlers, Transfer } from './client-main.ts'

/** Each stores everything. */
export const SERVERS = 2
export const VALUE_BYTES = 4096

/** The largest record: a dictionary of values that are as large as values may be. */
export const LARGE_SUBKEYS = 4
export const LARGE_VALUE_BYTES = 250_000
const LARGE_BYTES: number = LARGE_SUBKEYS * LARGE_VALUE_BYTES
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
}

/** Measures three transfers over one link. */
export async function measure(
  speed: LinkSpeed,
  { seconds, requestTimeoutMs }: { seconds: number; requestTimeoutMs: number },
  signal: AbortSignal
): Promise<Row[]> {
  await using link = new SlowLink(speed)
  await using servers = nodesProcess({ signal })
  await using client = new Child<LinkClientHandlers>(
    nodeCommand(new URL('client-main.ts', import.meta.url)),
    { signal }
  )
  const addresses: string[] = []
  const direct: string[] = []

  // Servers reach each other past the link.
  for (let i = 0; i < SERVERS; i++) {
    const port = await freePort()
    const listenOn = `127.0.0.1:${port}`
    const announce = [`127.0.0.1:${await link.open(() => port)}`]
    const options = { listenOn, announce, initialPeers: direct.slice(0, 1) }
    await servers.call('start', { options })
    addresses.push(...announce)
    direct.push(listenOn)
  }

  const keys = keysOf(link.bytesPerMs * seconds * 1000)
  await storeAll([servers], entriesOf(keys), 1)
  await client.call('join', { initialPeers: addresses, requestTimeoutMs })
  const small = { keys: keys.small, everyMs: SMALL_EVERY_MS }
  await client.call('small', { ...small, forMs: 1000 })
  const alone = await client.call('small', { ...small, forMs: seconds * 1000 })
  const aloneMs = percentile(alone, 0.95)
  const rows: Row[] = []

  for (const [transfer, bytes] of transfersOf(keys)) {
    const moved = await client.call('transfer', { ...transfer, small })
    rows.push({
      link: `${speed.mbitPerSecond} Mbit/s, ${speed.delayMs} ms`,
      transfer: `${transfer.kind} × ${transfer.keys.length}`,
      ...{ right: moved.right, count: transfer.keys.length },
      share: bytes / (link.bytesPerMs * moved.elapsedMs),
      ...{ aloneMs, nextToMs: percentile(moved.small, 0.95), failedSmall: moved.failedSmall }
    })
  }

  return rows
}

interface Keys {
  readonly bulk: readonly string[]
  readonly large: readonly string[]
  readonly small: readonly string[]
}

/** Names the keys of transfers of so many bytes each. */
function keysOf(bytes: number): Keys {
  const named = (name: string, count: number): string[] =>
    Array.from({ length: Math.ceil(count) }, (_, i) => `${name} ${i}`)
  return {
    bulk: named('bulk', bytes / VALUE_BYTES),
    large: named('large', Math.round(bytes / LARGE_BYTES) || 1),
    small: named('small', SMALL_KEYS)
  }
}

function entriesOf({ bulk, large, small }: Keys): StoreEntry[] {
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

/** Lists the transfers, and the bytes of values that each moves. */
function transfersOf({ bulk, large }: Keys): [Transfer, number][] {
  const bytes = bulk.length * VALUE_BYTES
  const own = bulk.map((key) => `own ${key}`)
  return [
    [{ kind: 'getMany', keys: bulk, bytes: 0 }, bytes],
    [{ kind: 'storeMany', keys: own, bytes: VALUE_BYTES }, SERVERS * bytes],
    [{ kind: 'get', keys: large, bytes: 0 }, large.length * LARGE_BYTES]
  ]
}
