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
   * Starts the last process, perhaps elsewhere than the others, and says where it is to listen.
   *
   * @default like the others
   */
  readonly startLast?: (
    start: StartProcess
  ) => Promise<{ server: Remote<ServerHandlers>; host: string }>

  /** @default '127.0.0.1' */
  readonly host?: string
}

/** Starts a process of the network by a command. */
export type StartProcess = (command: readonly string[]) => Remote<ServerHandlers>

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
    const { contestant, nodesOfProcesses, host = LOOPBACK } = this.#options
    const start: StartProcess = (command) => this.#processes.start<ServerHandlers>(command)
    const servers: string[] = []

    // One after another: many at once only make each other wait.
    for (const [i, nodes] of nodesOfProcesses.entries()) {
      const isLast = i === nodesOfProcesses.length - 1
      const { startLast } = this.#options
      const place =
        isLast && startLast
          ? await startLast(start)
          : { server: start(contestant.serverCommand), host }
      this.#servers.push(place.server)
      const addresses = await place.server.call(
        'start',
        { nodes, host: place.host, bootstrap: servers.slice(0, 1) },
        START_TIMEOUT_MS
      )
      servers.push(...addresses)
    }

    await this.#settle(servers, host)
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
