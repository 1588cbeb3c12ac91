import { availableParallelism } from 'node:os'
import { CalledProcess } from '../../calls/called-process.ts'
import type { HostCalls } from './host-main.ts'

export interface DistantNetworkInit {
  readonly nodes: number
  readonly oneWayMs: number
  readonly signal: AbortSignal
}

/** Nodes far from each other, in as many processes as there are cores. */
export class DistantNetwork implements AsyncDisposable {
  readonly #hosts: readonly CalledProcess<HostCalls>[]
  readonly #init: DistantNetworkInit
  #addresses: readonly (readonly string[])[] = []

  private constructor(init: DistantNetworkInit) {
    this.#init = init
    this.#hosts = Array.from(
      { length: Math.min(availableParallelism(), init.nodes) },
      () => new CalledProcess<HostCalls>(new URL('./host-main.ts', import.meta.url), init)
    )
  }

  /** Resolves when the nodes know each other. */
  static async start(init: DistantNetworkInit): Promise<DistantNetwork> {
    const network = new DistantNetwork(init)

    try {
      await network.#start()
      return network
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Where a newcomer can join, one node after the other. */
  entry(newcomer: number): readonly string[] {
    return this.#addresses[newcomer % this.#addresses.length] ?? []
  }

  /** Stores a value under each key, from many nodes. */
  async storeAll(keys: readonly string[], ttl: number): Promise<void> {
    const stored = await Promise.all(
      this.#hosts.map((host, i) => {
        const share = keys.filter((_, j) => j % this.#hosts.length === i)
        return host.call('storeAll', { keys: share, ttl })
      })
    )

    if (!stored.every(Boolean)) {
      throw new Error('not everything was stored')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.kill()))
  }

  /** All join by way of the first node. */
  async #start(): Promise<void> {
    const { nodes, oneWayMs } = this.#init
    const [first] = this.#hosts
    const initialPeers = (await first?.call('start', { count: 1, oneWayMs, initialPeers: [] }))?.[0]
    const addresses = await Promise.all(
      this.#hosts.map((host, i) =>
        host.call('start', {
          count: shareOf(nodes, { of: this.#hosts.length, index: i }) - (i === 0 ? 1 : 0),
          oneWayMs,
          initialPeers: initialPeers ?? []
        })
      )
    )

    this.#addresses = addresses.flat()
    await Promise.all(this.#hosts.map((host) => host.call('settle', nodes - 1)))
  }
}

/** Whole shares that differ by one at most. */
function shareOf(total: number, { of, index }: { of: number; index: number }): number {
  return Math.floor((total + of - 1 - index) / of)
}
