import { Child, nodeCommand } from '../processes/child.ts'
import type { RunOptions } from '../result/result.ts'
import type { Measured } from '../workload/drive.ts'
import type { Layers } from './bare-node.ts'
import type { FloorClient, FloorLoad } from './client-main.ts'
import type { FloorServer } from './server-main.ts'

/** Nodes of each process: five in all, as a store goes to five replicas. */
const NODES_OF_PROCESSES = { full: [2, 1, 1, 1], quick: [3, 2] } as const

const SERVER = nodeCommand(new URL('server-main.ts', import.meta.url))
const CLIENT = nodeCommand(new URL('client-main.ts', import.meta.url))

/** Starts bare nodes in processes of their own, and measures each load after one unmeasured run of it. */
export async function measureFloor(
  { effort, signal }: Pick<RunOptions, 'effort' | 'signal'>,
  loads: readonly FloorLoad[],
  layers: Layers = 'stock'
): Promise<Measured[]> {
  await using processes = new AsyncDisposableStack()
  const client = processes.use(new Child<FloorClient>(CLIENT, { signal }))
  const addresses = await Promise.all(
    NODES_OF_PROCESSES[effort].map((nodes) => {
      const server = processes.use(new Child<FloorServer>(SERVER, { signal }))
      return server.call('start', { nodes, layers })
    })
  )
  await client.call('start', { addresses: addresses.flat(), layers })
  const measured: Measured[] = []

  for (const load of loads) {
    await client.call('run', load)
    measured.push(await client.call('run', load))
  }

  return measured
}
