/** A whole network of real nodes in one process, and clients that measure it. */
import { setTimeout as passed } from 'node:timers/promises'
import { answerCalls } from '../../../calls/answer-calls.ts'
import { MemoryNetwork, type Operation, type OperationFigures } from './memory-network.ts'

export interface NetworkCalls {
  /** Resolves when so many nodes know each other. */
  start(options: { nodes: number; isPinging: boolean }): Promise<BuildFigures>

  /** What the nodes cost while nobody asks them for anything. */
  idle(forMs: number): Promise<IdleFigures>

  /** Starts the clients, and has them look around until they know their way. */
  startClients(options: { clients: number; searches: number }): Promise<number>

  /** Runs so many operations, one after the other. */
  measure(options: {
    operation: Operation
    count: number
    idleShare: number
  }): Promise<OperationFigures>
}

export interface BuildFigures {
  readonly tookMs: number

  /** Heap and buffers in use, garbage collected, more than before the first node; of one node. */
  readonly usedBytes: number

  /** What the process occupies more than before the first node; of one node. */
  readonly residentBytes: number
}

export interface IdleFigures {
  /** Which part of a core all nodes together take. */
  readonly share: number

  /** Of a node to others, on average, without clients. */
  readonly connections: number
}

const network = new MemoryNetwork()

answerCalls<NetworkCalls>({
  async start({ nodes, isPinging }) {
    const before = memoryInUse()
    const start = performance.now()
    await network.start(nodes, { isPinging })
    const tookMs = performance.now() - start
    const after = memoryInUse()

    return {
      tookMs,
      usedBytes: (after.usedBytes - before.usedBytes) / nodes,
      residentBytes: (after.residentBytes - before.residentBytes) / nodes
    }
  },

  async idle(forMs) {
    const cpu = process.cpuUsage()
    const start = performance.now()
    await passed(forMs)
    const { user, system } = process.cpuUsage(cpu)

    return {
      share: (user + system) / 1000 / (performance.now() - start),
      connections: network.connections
    }
  },

  startClients: ({ clients, searches }) => network.startClients(clients, searches),
  measure: ({ operation, count, idleShare }) => network.measure(operation, { count, idleShare })
})

function memoryInUse(): { usedBytes: number; residentBytes: number } {
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { usedBytes: heapUsed + external, residentBytes: rss }
}
