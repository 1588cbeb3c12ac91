import { nodesProcess, storeAll } from '../../nodes/nodes-process.ts'
import { freePort, type LinkSpeed, SlowLink } from '../../nodes/slow-link.ts'
import { Child, nodeCommand } from '../../processes/child.ts'
import { percentile } from '../../workload/statistics.ts'
import type { LinkClientHandlers, Transfer, Transferred } from './client-main.ts'

/** Each stores everything. */
export const SERVERS = 2
export const VALUE_BYTES = 4096

/** The largest record: a dictionary of values that are as large as values may be. */
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

  const count = Math.ceil((link.bytesPerMs * seconds * 1000) / VALUE_BYTES)
  const keys = Array.from({ length: count }, (_, i) => `bulk ${i}`)
  const smallKeys = Array.from({ length: SMALL_KEYS }, (_, i) => `small ${i}`)
  const large = Math.max(1, Math.round((count * VALUE_BYTES) / (LARGE_SUBKEYS * LARGE_VALUE_BYTES)))
  const largeKeys = Array.from({ length: large }, (_, i) => `large ${i}`)
  const entryOf = (key: string, bytes: number) => ({ key, value: 'x'.repeat(bytes), ttl: TTL })
  const entries = [
    ...keys.map((key) => entryOf(key, VALUE_BYTES)),
    ...smallKeys.map((key) => entryOf(key, 8)),
    ...largeKeys.flatMap((key) =>
      Array.from({ length: LARGE_SUBKEYS }, (_, subkey) => ({
        ...entryOf(key, LARGE_VALUE_BYTES),
        subkey
      }))
    )
  ]
  await storeAll([servers], entries, 1)
  await client.call('join', { initialPeers: addresses, requestTimeoutMs })
  const small = { keys: smallKeys, everyMs: SMALL_EVERY_MS }
  await client.call('small', { ...small, forMs: 1000 })
  const alone = await client.call('small', { ...small, forMs: seconds * 1000 })
  const rowOf = (transfer: Transfer, sentBytes: number, result: Transferred): Row => ({
    link: `${speed.mbitPerSecond} Mbit/s, ${speed.delayMs} ms`,
    transfer: `${transfer.kind} × ${transfer.keys.length}`,
    ...{ right: result.right, count: transfer.keys.length },
    share: sentBytes / (link.bytesPerMs * result.elapsedMs),
    ...{ aloneMs: percentile(alone, 0.95), nextToMs: percentile(result.small, 0.95) },
    failedSmall: result.failedSmall
  })
  const transfers = [
    [{ kind: 'getMany', keys, bytes: VALUE_BYTES }, count * VALUE_BYTES],
    [
      { kind: 'storeMany', keys: keys.map((key) => `own ${key}`), bytes: VALUE_BYTES },
      SERVERS * count * VALUE_BYTES
    ],
    [{ kind: 'get', keys: largeKeys, bytes: 0 }, large * LARGE_SUBKEYS * LARGE_VALUE_BYTES]
  ] as const
  const rows: Row[] = []

  for (const [transfer, bytes] of transfers) {
    rows.push(rowOf(transfer, bytes, await client.call('transfer', { ...transfer, small })))
  }

  return rows
}
