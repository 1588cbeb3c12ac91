import type { DHT } from '@waggle/dht'
import { totalOf } from '../../statistics.ts'
import type { DistantNetwork } from './distant-network.ts'
import { distantNode } from './distant-node.ts'
import { type DistantOperation, freshKeys } from './distant-operations.ts'
import { type Timing, timed } from './measure-warm.ts'

export interface ColdTimings {
  /** How long joining took. */
  readonly createMs: readonly number[]

  /** The first operation of nodes that had joined a moment ago. */
  readonly first: readonly Timing[]
}

/** A new client for each single run, which does nothing but this. */
export async function measureCold(
  network: DistantNetwork,
  {
    operations,
    repeats,
    oneWayMs
  }: { operations: readonly DistantOperation[]; repeats: number; oneWayMs: number }
): Promise<ColdTimings> {
  const createMs: number[] = []
  const first: Timing[] = []

  for (const operation of operations) {
    const keys = await freshKeys(repeats * operation.keys, network, operation)
    const runs: Timing[] = []

    for (let i = 0; i < repeats; i++) {
      const start = performance.now()
      await using node = await newcomer(network, { oneWayMs, number: createMs.length })
      createMs.push(performance.now() - start)
      const share = keys.slice(i * operation.keys, (i + 1) * operation.keys)
      runs.push(await timed(operation, [share], () => node))
    }

    first.push(joined(operation, runs))
  }

  return { createMs, first }
}

function newcomer(
  network: DistantNetwork,
  { oneWayMs, number }: { oneWayMs: number; number: number }
): Promise<DHT> {
  return distantNode(oneWayMs, { initialPeers: network.entry(number), clientMode: true })
}

function joined({ name, keys }: DistantOperation, runs: readonly Timing[]): Timing {
  return {
    operation: name,
    keys,
    timesMs: runs.flatMap(({ timesMs }) => timesMs),
    right: totalOf(runs, ({ right }) => right)
  }
}
