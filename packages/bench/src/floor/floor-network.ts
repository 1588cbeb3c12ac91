import type { Effort } from '../interface.ts'
import { nodeCommand } from '../processes/node-command.ts'
import { ProcessGroup } from '../processes/process-group.ts'
import type { Remote } from '../processes/remote.ts'
import type { Load, Measured } from '../workload/drive.ts'
import type { Layers } from './bare-node.ts'
import type { FloorClientHandlers, FloorOperation, FloorServerHandlers } from './handlers.ts'

/** Five nodes: in four processes, as a store goes to five of twenty nodes in as many, or quickly in two. */
const NODES_OF_PROCESSES: Readonly<Record<Effort, readonly number[]>> = {
  full: [2, 1, 1, 1],
  quick: [3, 2]
}

export interface FloorOptions {
  readonly layers: Layers
  readonly effort: Effort
  readonly signal: AbortSignal
}

const SERVER = nodeCommand(new URL('server-main.ts', import.meta.url))
const CLIENT = nodeCommand(new URL('client-main.ts', import.meta.url))

/** Bare nodes in processes of their own, and one that asks them. */
export class FloorNetwork {
  readonly #processes: ProcessGroup
  readonly #client: Remote<FloorClientHandlers>

  private constructor(processes: ProcessGroup) {
    this.#processes = processes
    this.#client = processes.start<FloorClientHandlers>(CLIENT)
  }

  /** Starts the processes and opens the streams. */
  static async start({ layers, effort, signal }: FloorOptions): Promise<FloorNetwork> {
    const network = new FloorNetwork(new ProcessGroup(signal))

    try {
      await network.#connect(layers, NODES_OF_PROCESSES[effort])
      return network
    } catch (error) {
      await network.stop()
      throw error
    }
  }

  /** Runs operations in the client's process. */
  async run(operation: FloorOperation, load: Load): Promise<Measured> {
    return this.#client.call('run', { operation, ...load })
  }

  async stop(): Promise<void> {
    await this.#processes.kill()
  }

  async #connect(layers: Layers, nodesOfProcesses: readonly number[]): Promise<void> {
    const servers = nodesOfProcesses.map((nodes) =>
      this.#processes.start<FloorServerHandlers>(SERVER).call('start', { layers, nodes })
    )
    const started = await Promise.all(servers)

    await this.#client.call('start', {
      layers,
      nodes: started.flatMap(({ nodes: addresses }) => addresses),
      tcpPort: started[0]?.tcpPort ?? 0
    })
  }
}
