import { randomUUID } from 'node:crypto'
import type { DHT } from '@waggle/dht'
import { lookAround } from '../../peers/settle.ts'
import type { DistantNetwork } from './distant-network.ts'
import { type DistantOperation, freshKeys, type OperationName } from './distant-operations.ts'

/** How long each of several runs of one operation took, and how many were right. */
export interface Timing {
  readonly operation: OperationName
  readonly keys: number
  readonly timesMs: readonly number[]
  readonly right: number
}

/** How often each operation is run. */
export type Repeats = Readonly<Record<OperationName, number>>

/** One after another, from a node that has connections already. */
export async function measureWarm(
  node: DHT,
  network: DistantNetwork,
  { operations, repeats }: { operations: readonly DistantOperation[]; repeats: Repeats }
): Promise<Timing[]> {
  const timings: Timing[] = []

  for (const operation of operations) {
    const count = repeats[operation.name]
    const keys = await freshKeys(count * operation.keys, network, operation)
    const shares = Array.from({ length: count }, (_, i) =>
      keys.slice(i * operation.keys, (i + 1) * operation.keys)
    )
    timings.push(await timed(operation, shares, () => node))
  }

  return timings
}

/** Runs the operation with each share of keys, on the node that is given for it. */
export async function timed(
  operation: DistantOperation,
  shares: readonly (readonly string[])[],
  nodeFor: () => DHT
): Promise<Timing> {
  const timesMs: number[] = []
  let right = 0

  for (const keys of shares) {
    const node = nodeFor()
    const start = performance.now()
    const isRight = await operation.run(node, keys)
    timesMs.push(performance.now() - start)
    right += Number(isRight)
  }

  return { operation: operation.name, keys: operation.keys, timesMs, right }
}

const MAX_WARMING_SEARCHES = 200

/** Searches at random until there is a connection to everybody, and says how many searches that took. */
export async function warmUp(node: DHT, others: number): Promise<number> {
  let searches = 0

  while (node.peers.length < others && searches < MAX_WARMING_SEARCHES) {
    await lookAround(node, randomUUID())
    searches++
  }

  return searches
}
