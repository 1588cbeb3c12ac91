import { CalledProcess } from '../../calls/called-process.ts'
import type { HostApart } from '../../processes/host-apart.ts'
import { total } from '../../statistics.ts'
import { until } from '../../workload/until.ts'
import type { Entry } from './entries.ts'
import type { HalfCalls } from './half-main.ts'

const MAIN = new URL('./half-main.ts', import.meta.url)

/** More than one, as events of one process come in one order. */
const PROCESSES_OF_A_HALF = 2

/** Kademlia's k. */
const SURROUNDINGS = 20

export interface HalfInit {
  readonly nodes: number

  /** Where its nodes listen. */
  readonly address: string

  /** The other host, if they run there. */
  readonly host?: HostApart | undefined
  readonly initialPeers: readonly string[]
  readonly signal: AbortSignal
}

/** The nodes on one side of the cable. */
export class Half implements AsyncDisposable {
  readonly #processes: CalledProcess<HalfCalls>[]
  addresses: readonly string[] = []

  private constructor({ host, signal }: HalfInit) {
    this.#processes = Array.from(
      { length: PROCESSES_OF_A_HALF },
      () => new CalledProcess<HalfCalls>(MAIN, { host, signal })
    )
  }

  static async start(init: HalfInit): Promise<Half> {
    const half = new Half(init)

    try {
      for (const process of half.#processes) {
        const initialPeers = [...init.initialPeers, ...half.addresses]
        const options = { listenOn: `${init.address}:0`, initialPeers }
        const count = init.nodes / PROCESSES_OF_A_HALF
        half.addresses = [...half.addresses, ...(await process.call('start', { count, options }))]
      }

      return half
    } catch (error) {
      await half[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Resolves when each node knows so many others, or its surroundings. */
  async settled(others: number): Promise<void> {
    const enough = Math.min(others, SURROUNDINGS)
    await until(async () => Math.min(...(await this.#all('knownPeers', undefined))) >= enough, {
      what: `each node knows ${enough} others`
    })
  }

  /** How many of the entries were acknowledged. */
  async write(entries: readonly Entry[]): Promise<number> {
    const shares = this.#processes.map((process, n) =>
      process.call(
        'write',
        entries.filter((_, i) => i % this.#processes.length === n)
      )
    )
    return total(await Promise.all(shares))
  }

  /** Pairs of a node and an entry that it does not find right. */
  async missing(entries: readonly Entry[]): Promise<number> {
    return total(await this.#all('missing', entries))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.kill()))
  }

  #all(name: 'knownPeers', argument: undefined): Promise<number[]>
  #all(name: 'missing', argument: readonly Entry[]): Promise<number[]>
  #all(name: 'knownPeers' | 'missing', argument: unknown): Promise<number[]> {
    return Promise.all(this.#processes.map((process) => process.call(name, argument as never)))
  }
}
