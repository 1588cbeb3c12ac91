import { CalledProcess } from '../../../calls/called-process.ts'
import type { Operation, OperationFigures } from './memory-network.ts'
import type { BuildFigures, IdleFigures, NetworkCalls } from './network-main.ts'

export interface RealPlan {
  readonly nodes: number
  readonly clients: number

  /** Of each client, before anything is measured. */
  readonly searches: number

  /** Of each operation. */
  readonly operations: number
  readonly idleMs: number

  /** Larger networks are not measured idling: their pings take more than a core. */
  readonly mostIdling: number
}

export interface RealFigures {
  readonly nodes: number
  readonly build: BuildFigures

  /** With all that nodes do by themselves; undefined where there are too many of them. */
  readonly idle: IdleFigures | undefined

  /** Of a node to others, on average, without clients. */
  readonly connections: number

  /** Of a client, on average, before anything was measured. */
  readonly clientConnections: number
  readonly operations: readonly (OperationFigures & { readonly operation: Operation })[]
}

const OPERATIONS: readonly Operation[] = ['get', 'get latest', 'store']

/** Networks of real nodes in processes of their own, so that what they take is only theirs. */
export async function measureReal(
  plan: RealPlan,
  options: { signal: AbortSignal }
): Promise<RealFigures> {
  const idle = plan.nodes <= plan.mostIdling ? await measureIdling(plan, options) : undefined
  return { ...(await measureOperations(plan, options)), nodes: plan.nodes, idle }
}

async function measureIdling(
  { nodes, idleMs }: RealPlan,
  options: { signal: AbortSignal }
): Promise<IdleFigures> {
  await using network = networkProcess(options)
  await network.call('start', { nodes, isPinging: true })
  return await network.call('idle', idleMs)
}

/** Without pings, which would disturb. */
async function measureOperations(
  { nodes, clients, searches, operations: count, idleMs }: RealPlan,
  options: { signal: AbortSignal }
): Promise<Omit<RealFigures, 'nodes' | 'idle'>> {
  await using network = networkProcess(options)
  const build = await network.call('start', { nodes, isPinging: false })
  const clientConnections = await network.call('startClients', { clients, searches })
  const { share, connections } = await network.call('idle', idleMs)
  const operations: RealFigures['operations'][number][] = []

  for (const operation of OPERATIONS) {
    const figures = await network.call('measure', { operation, count, idleShare: share })
    operations.push({ operation, ...figures })
  }

  return { build, connections, clientConnections, operations }
}

function networkProcess({ signal }: { signal: AbortSignal }): CalledProcess<NetworkCalls> {
  return new CalledProcess(new URL('./network-main.ts', import.meta.url), {
    signal,
    flags: ['--expose-gc']
  })
}
