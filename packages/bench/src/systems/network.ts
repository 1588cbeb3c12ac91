import { setTimeout as passed } from 'node:timers/promises'
import { bundleLibraries } from '../processes/bundles.ts'
import { Child } from '../processes/child.ts'
import type { SeparateHost } from '../processes/separate-host.ts'
import type { Usage } from '../processes/usage.ts'
import { totalOf } from '../workload/statistics.ts'
import type { ClientHandlers } from './client-main.ts'
import type { Contestant } from './contestants.ts'
import type { ServerHandlers } from './server-main.ts'
import type { Place } from './system.ts'

export interface NetworkOptions {
  readonly contestant: Contestant

  /** Servers of each process. */
  readonly nodesOfProcesses: readonly number[]
  readonly signal: AbortSignal

  /** Host of the last process; by default, all run on loopback. */
  readonly lastHost?: SeparateHost
}

/**
 * A network is at rest when its servers take at most this share of a core, in one interval; number of intervals
 * after which it counts as one that never rests.
 */
const REST_SHARE = 0.05
const REST_MS = 1000
const MAX_RESTS = 30

/** Servers of one system in several processes, and its clients in another. */
export class Network implements AsyncDisposable {
  readonly client: Child<ClientHandlers>
  readonly servers: readonly Child<ServerHandlers>[]
  readonly lastServer: Child<ServerHandlers>
  readonly #processes: AsyncDisposableStack

  /** Host and addresses through which further nodes can join. */
  place: Place = { host: '127.0.0.1', bootstrap: [] }

  private constructor({ contestant, nodesOfProcesses, lastHost, signal }: NetworkOptions) {
    const { serverCommand: command } = contestant
    const commands = nodesOfProcesses.slice(1).map(() => command)
    const last = lastHost?.command(command) ?? command
    this.#processes = new AsyncDisposableStack()
    this.client = this.#processes.use(new Child(contestant.clientCommand, { signal }))
    this.servers = [...commands, last].map((each) =>
      this.#processes.use(new Child(each, { signal }))
    )
    this.lastServer = this.servers.at(-1) as Child<ServerHandlers>
  }

  /** Resolves when all servers and clients know each other, and the servers are at rest. */
  static async start(options: NetworkOptions): Promise<Network> {
    await (options.contestant.isBundled && bundleLibraries())
    const network = new Network(options)

    try {
      await network.#start(options)
      return network
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Resolves with the usage of all servers together. */
  async serversUsage(): Promise<Usage> {
    const usages = await Promise.all(this.servers.map((server) => server.call('usage')))
    const cpuMs = totalOf(usages, (usage) => usage.cpuMs)
    return { cpuMs, rssBytes: totalOf(usages, ({ rssBytes }) => rssBytes) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#processes.disposeAsync()
  }

  async #start({ nodesOfProcesses, lastHost }: NetworkOptions): Promise<void> {
    const own = lastHost?.ownAddress ?? this.place.host
    const addresses: string[] = []

    // Nodes start one after another: many at once would only slow each other down.
    for (const [i, server] of this.servers.entries()) {
      const host = server === this.lastServer ? (lastHost?.address ?? own) : own
      const place = { host, bootstrap: addresses.slice(0, 1) }
      addresses.push(...(await server.call('start', { nodes: nodesOfProcesses[i] ?? 1, ...place })))
    }

    // Twice, so that the first servers look up their neighbours again when all have joined.
    for (const server of [...this.servers, ...this.servers]) {
      await server.call('settle', { servers: addresses.length })
    }

    await this.#rest()
    this.place = { host: own, bootstrap: addresses.slice(0, 1) }
    await this.client.call('start', { servers: addresses, ...this.place })
  }

  /** Waits for the work that follows joins, of which no operation that is measured should pay a share. */
  async #rest(): Promise<void> {
    for (let i = 0; i < MAX_RESTS; i++) {
      const before = await this.serversUsage()
      await passed(REST_MS)
      const after = await this.serversUsage()

      if (after.cpuMs - before.cpuMs <= REST_SHARE * REST_MS) {
        return
      }
    }
  }
}
