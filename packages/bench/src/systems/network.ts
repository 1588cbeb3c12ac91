import { ProcessGroup } from '../processes/process-group.ts'
import type { Remote } from '../processes/remote.ts'
import { sum, type Usage } from '../processes/usage.ts'
import type { Contestant } from './contestants.ts'
import type { ClientHandlers, ServerHandlers } from './handlers.ts'

export interface NetworkOptions {
  readonly contestant: Contestant

  /** How many servers each process has. */
  readonly nodesOfProcesses: readonly number[]
  readonly signal: AbortSignal

  /**
   * Where the processes listen.
   *
   * @default '127.0.0.1'
   */
  readonly host?: string

  /** Where the last process runs, if elsewhere than the others. */
  readonly lastHost?: ElsewhereHost
}

/** A host that is not this one. */
export interface ElsewhereHost {
  readonly address: string

  /** How a command is run there. */
  command(command: readonly string[]): readonly string[]
}

const LOOPBACK = '127.0.0.1'
const START_TIMEOUT_MS = 120_000

/** Servers of one system in several processes, and clients in another one. */
export class Network {
  readonly client: Remote<ClientHandlers>
  readonly #options: NetworkOptions
  readonly #processes: ProcessGroup
  readonly #servers: Remote<ServerHandlers>[] = []

  private constructor(options: NetworkOptions) {
    this.#options = options
    this.#processes = new ProcessGroup(options.signal)
    this.client = this.#processes.start(options.contestant.clientCommand)
  }

  /** Resolves when every server and the clients know each other. */
  static async start(options: NetworkOptions): Promise<Network> {
    const network = new Network(options)

    try {
      await network.#start()
      return network
    } catch (error) {
      await network.stop()
      throw error
    }
  }

  /** The process of the last servers. */
  get lastServer(): Remote<ServerHandlers> {
    const last = this.#servers.at(-1)

    if (last === undefined) {
      throw new Error('the network has no servers')
    }

    return last
  }

  /** What the servers' processes have used together. */
  async serversUsage(): Promise<Usage> {
    return sum(await Promise.all(this.#servers.map((server) => server.call('usage', {}))))
  }

  async stop(): Promise<void> {
    await this.#processes.kill()
  }

  async #start(): Promise<void> {
    const { nodesOfProcesses, host = LOOPBACK } = this.#options
    const starting = nodesOfProcesses.map((nodes, i) => ({ ...this.#startProcess(i), nodes }))
    const servers: string[] = []

    // Nodes one after another: many at once only make each other wait.
    for (const { process, address, nodes } of starting) {
      const params = { nodes, host: address, bootstrap: servers.slice(0, 1) }
      servers.push(...(await process.call('start', params, START_TIMEOUT_MS)))
    }

    await this.#settle(servers, host)
  }

  #startProcess(index: number): { process: Remote<ServerHandlers>; address: string } {
    const { contestant, nodesOfProcesses, host = LOOPBACK, lastHost } = this.#options
    const isElsewhere = lastHost !== undefined && index === nodesOfProcesses.length - 1
    const { serverCommand } = contestant
    const command = isElsewhere ? lastHost.command(serverCommand) : serverCommand
    const process = this.#processes.start<ServerHandlers>(command)
    this.#servers.push(process)

    return { process, address: isElsewhere ? lastHost.address : host }
  }

  /** Twice, so that the first ones look around again when all are there. */
  async #settle(servers: readonly string[], host: string): Promise<void> {
    for (const server of [...this.#servers, ...this.#servers]) {
      await server.call('settle', { servers: servers.length }, START_TIMEOUT_MS)
    }

    await this.client.call(
      'start',
      { servers, host, bootstrap: servers.slice(0, 1) },
      START_TIMEOUT_MS
    )
  }
}
