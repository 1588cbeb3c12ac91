import { Child } from '../processes/child.ts'
import type { SeparateHost } from '../processes/separate-host.ts'
import type { Usage } from '../processes/usage.ts'
import { totalOf } from '../workload/statistics.ts'
import type { ClientHandlers } from './client-main.ts'
import type { Contestant } from './contestants.ts'
import type { ServerHandlers } from './server-main.ts'

export interface NetworkOptions {
  readonly contestant: Contestant

  /** Servers of each process. */
  readonly nodesOfProcesses: readonly number[]
  readonly signal: AbortSignal

  /** Host that the last process runs on; by default, all run on loopback. */
  readonly lastHost?: SeparateHost
}

/** Servers of one system in several processes, and its clients in another. */
export class Network implements AsyncDisposable {
  readonly client: Child<ClientHandlers>
  readonly servers: readonly Child<ServerHandlers>[]
  readonly #options: NetworkOptions
  readonly #processes = new AsyncDisposableStack()

  private constructor(options: NetworkOptions) {
    const { contestant, nodesOfProcesses, lastHost, signal } = options
    const { serverCommand: command } = contestant
    this.#options = options
    this.client = this.#processes.use(new Child(contestant.clientCommand, { signal }))
    this.servers = nodesOfProcesses.map((_, i) => {
      const isLast = i === nodesOfProcesses.length - 1
      const started = isLast ? (lastHost?.command(command) ?? command) : command
      return this.#processes.use(new Child<ServerHandlers>(started, { signal }))
    })
  }

  /** Resolves when all servers and clients know each other. */
  static async start(options: NetworkOptions): Promise<Network> {
    const network = new Network(options)

    try {
      await network.#start()
      return network
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
  }

  get lastServer(): Child<ServerHandlers> {
    return this.servers.at(-1) as Child<ServerHandlers>
  }

  /** Resolves with the usage of all servers together. */
  async serversUsage(): Promise<Usage> {
    const usages = await Promise.all(this.servers.map((server) => server.call('usage')))

    return {
      cpuMs: totalOf(usages, ({ cpuMs }) => cpuMs),
      rssBytes: totalOf(usages, ({ rssBytes }) => rssBytes)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#processes.disposeAsync()
  }

  async #start(): Promise<void> {
    const { nodesOfProcesses, lastHost } = this.#options
    const host = lastHost?.ownAddress ?? '127.0.0.1'
    const addresses: string[] = []

    // Nodes start one after another: many at once only make each other wait.
    for (const [i, server] of this.servers.entries()) {
      const here = server === this.lastServer ? (lastHost?.address ?? host) : host
      const place = { host: here, bootstrap: addresses.slice(0, 1) }
      addresses.push(...(await server.call('start', { nodes: nodesOfProcesses[i] ?? 1, ...place })))
    }

    // Twice, so that the first servers look up their neighbours again when all have joined.
    for (const server of [...this.servers, ...this.servers]) {
      await server.call('settle', { servers: addresses.length })
    }

    await this.client.call('start', {
      servers: addresses,
      host,
      bootstrap: addresses.slice(0, 1)
    })
  }
}
