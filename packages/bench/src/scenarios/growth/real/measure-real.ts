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
}

export interface RealFigures {
  readonly nodes: number
  readonly build: BuildFigures
  readonly idle: IdleFigures

  /** Of a client, on average, before anything was measured. */
  readonly clientConnections: number
  readonly operations: readonly (OperationFigures & { readonly operation: Operation })[]
}

const OPERATIONS: readonly Operation[] = ['get', 'get latest', 'store']

/** A network of real nodes in a process of its own, so that what it takes is only its own. */
export async function measureReal(
  { nodes, clients, searches, operations: count, idleMs }: RealPlan,
  { signal }: { signal: AbortSignal }
): Promise<RealFigures> {
  await using network = new CalledProcess<NetworkCalls>(
    new URL('./network-main.ts', import.meta.url),
    { signal, flags: ['--expose-gc'] }
  )
  const build = await network.call('start', nodes)
  const idle = await network.call('idle', idleMs)
  const clientConnections = await network.call('startClients', { clients, searches })
  const operations: RealFigures['operations'][number][] = []

  for (const operation of OPERATIONS) {
    const figures = await network.call('measure', { operation, count, idleShare: idle.share })
    operations.push({ operation, ...figures })
  }

  return { nodes, build, idle, clientConnections, operations }
}
