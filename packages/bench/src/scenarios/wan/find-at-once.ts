import type { DHT } from '@waggle/dht'
import type { DistantNetwork } from './distant-network.ts'
import { distantNode } from './distant-node.ts'
import { freshKeys } from './distant-operations.ts'
import { valueUnder } from './value-under.ts'

/** What nodes found as soon as they had joined. */
export interface FoundAtOnce {
  readonly kind: 'client' | 'server'
  readonly newcomers: number
  readonly keys: number

  /** Summed over all newcomers. */
  readonly found: number
}

export interface FindAtOnceInit {
  /** As many clients, and as many servers, which may be nearer to a key than its replicas. */
  readonly newcomers: number
  readonly keys: number
  readonly oneWayMs: number
}

/** Has nodes join, and each look for all keys at once. They stay until all have looked. */
export async function findAtOnce(
  network: DistantNetwork,
  init: FindAtOnceInit
): Promise<FoundAtOnce[]> {
  const keys = await freshKeys(init.keys, network, { isOnStored: true })
  await using nodes = new AsyncDisposableStack()
  const found = { client: 0, server: 0 }

  for (let i = 0; i < 2 * init.newcomers; i++) {
    const kind = i < init.newcomers ? 'client' : 'server'
    const options = { initialPeers: network.entry(i), clientMode: kind === 'client' }
    const node = nodes.use(await distantNode(init.oneWayMs, options))
    found[kind] += await countFound(node, keys)
  }

  return (['client', 'server'] as const).map((kind) => ({
    kind,
    newcomers: init.newcomers,
    keys: init.keys,
    found: found[kind]
  }))
}

async function countFound(node: DHT, keys: readonly string[]): Promise<number> {
  const answers = await node.getMany(keys)
  return answers.filter((answer, i) => answer?.value === valueUnder(keys[i] ?? '')).length
}
