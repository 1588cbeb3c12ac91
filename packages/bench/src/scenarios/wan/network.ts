import { availableParallelism } from 'node:os'
import { type NodesProcess, nodesProcess, storeAll } from '../../nodes/nodes-process.ts'
import { TTL, valueUnder } from './operations.ts'

/** Nodes of each process that store. With more, each would have connections to open first. */
const STORERS = 2

/** Nodes far from each other, in one process for each core. */
export class DistantNetwork implements AsyncDisposable {
  readonly #processes: readonly NodesProcess[]
  #addresses: readonly (readonly string[])[] = []

  private constructor(signal: AbortSignal) {
    this.#processes = Array.from({ length: availableParallelism() }, () => nodesProcess({ signal }))
  }

  /** Resolves when the nodes know each other. All of them join through the first one. */
  static async start(
    nodes: number,
    oneWayMs: number,
    { signal }: { signal: AbortSignal }
  ): Promise<DistantNetwork> {
    const network = new DistantNetwork(signal)
    const { length: of } = network.#processes
    let initialPeers: readonly string[] = []

    try {
      for (const [i, process] of network.#processes.entries()) {
        const count = Math.floor((nodes + of - 1 - i) / of)
        const options = { initialPeers: [...initialPeers] }
        const started = count > 0 ? await process.call('start', { count, options, oneWayMs }) : []
        initialPeers = initialPeers.length > 0 ? initialPeers : (started[0] ?? [])
        network.#addresses = [...network.#addresses, ...started]
      }

      await Promise.all(network.#processes.map((process) => process.call('settle', nodes - 1)))
      return network
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Returns addresses through which the nth newcomer joins: those of one node after the other. */
  entry(newcomer: number): string[] {
    return [...(this.#addresses[newcomer % this.#addresses.length] ?? [])]
  }

  /** Stores a value under each key. */
  readonly storeAll = async (keys: readonly string[]): Promise<void> => {
    const entries = keys.map((key) => ({ key, value: valueUnder(key), ttl: TTL }))

    if ((await storeAll(this.#processes, entries, STORERS)) !== keys.length) {
      throw new Error('some values were not stored')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.kill()))
  }
}
