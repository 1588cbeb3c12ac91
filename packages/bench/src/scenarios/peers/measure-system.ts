import type { Contestant } from '../../systems/contestants.ts'
import type { BulkMeasured, BulkOperation, Operation } from '../../systems/handlers.ts'
import { Network } from '../../systems/network.ts'
import type { Measured } from '../../workload/drive.ts'
import { KeyNumbers } from '../../workload/key-numbers.ts'
import type { Plan } from './plan.ts'

/** What one system did in one round. */
export interface SystemRound {
  readonly oneByOne: Readonly<Partial<Record<Operation, Costly>>>

  /** Bursts with many in flight. */
  readonly inFlight: Readonly<Record<'store' | 'get', readonly Measured[]>>
  readonly bulk: readonly BulkRun[]

  /** The gets after nodes had crashed. */
  readonly afterCrash: Measured

  /** Memory of the servers' processes, without and with load; bulk comes later. */
  readonly startBytes: number
  readonly loadedBytes: number
}

/** What was measured, and the CPU time of each operation. */
export interface Costly extends Measured {
  readonly clientCPUMs: number
  readonly serversCPUMs: number
}

export interface BulkRun extends BulkMeasured {
  readonly operation: BulkOperation
  readonly count: number
}

export interface MeasureOptions {
  readonly plan: Plan
  readonly signal: AbortSignal
}

/** Some systems wait seconds for each dead peer. */
const RUN_TIMEOUT_MS = 300_000

/** Starts a network of the system, and measures one round on it. */
export async function measureSystem(
  contestant: Contestant,
  { plan, signal }: MeasureOptions
): Promise<SystemRound> {
  const { nodesOfProcesses } = plan
  const network = await Network.start({ contestant, nodesOfProcesses, signal })

  try {
    return await new Round(network, contestant, plan).measure()
  } finally {
    await network.stop()
  }
}

class Round {
  readonly #network: Network
  readonly #contestant: Contestant
  readonly #plan: Plan
  readonly #keys = new KeyNumbers()

  constructor(network: Network, contestant: Contestant, plan: Plan) {
    this.#network = network
    this.#contestant = contestant
    this.#plan = plan
  }

  async measure(): Promise<SystemRound> {
    const { rssBytes: startBytes } = await this.#network.serversUsage()
    await this.#warmUp()
    const oneByOne = await this.#oneByOne()
    const inFlight = await this.#inFlight()
    const { rssBytes: loadedBytes } = await this.#network.serversUsage()
    const bulk = this.#contestant.hasBulk ? await this.#bulk() : []
    const afterCrash = await this.#crash()

    return { oneByOne, inFlight, bulk, afterCrash, startBytes, loadedBytes }
  }

  /** All the code that is measured has been run before, by all processes, and every connection is there. */
  async #warmUp(): Promise<void> {
    const { warmUpFresh, warmUpLimitMs: limitMs, depth } = this.#plan
    const warmUp = this.#contestant.isBestFresh ? warmUpFresh : this.#plan.warmUp

    for (const inFlight of [1, depth]) {
      const keys = this.#keys.take(warmUp)
      const stored = goodOf(keys, await this.#run('store', keys, { inFlight, limitMs }))

      for (const operation of this.#reads()) {
        await this.#run(operation, stored, { inFlight, limitMs })
      }
    }
  }

  async #oneByOne(): Promise<SystemRound['oneByOne']> {
    const keys = this.#keys.take(this.#plan.oneByOne)
    const store = await this.#costly('store', keys)
    const stored = goodOf(keys, store)
    const results: Partial<Record<Operation, Costly>> = { store }

    for (const operation of this.#reads()) {
      results[operation] = await this.#costly(operation, stored)
    }

    return results
  }

  /** Bursts of stores, then gets of what they stored. */
  async #inFlight(): Promise<SystemRound['inFlight']> {
    const { burst, maxBursts, burstsLimitMs, depth: inFlight } = this.#plan
    const results: { store: Measured[]; get: Measured[] } = { store: [], get: [] }

    for (const start = performance.now(); results.store.length < maxBursts; ) {
      const keys = this.#keys.take(burst)
      const store = await this.#run('store', keys, { inFlight })
      results.store.push(store)
      results.get.push(await this.#run('get', goodOf(keys, store), { inFlight }))

      if (this.#contestant.isBestFresh || performance.now() - start > burstsLimitMs) {
        break
      }
    }

    return results
  }

  async #bulk(): Promise<BulkRun[]> {
    const runs: BulkRun[] = []

    for (const count of this.#plan.bulk) {
      const keys = this.#keys.take(count)

      for (const operation of ['storeMany', 'getMany'] as const) {
        const params = { operation, keys }
        const measured = await this.#network.client.call('bulk', params, RUN_TIMEOUT_MS)
        runs.push({ ...measured, operation, count })
      }
    }

    return runs
  }

  /** The connections of a process that is killed are reset. */
  async #crash(): Promise<Measured> {
    const keys = this.#keys.take(this.#plan.afterFailure)
    const stored = goodOf(keys, await this.#run('store', keys, { inFlight: 1 }))
    await this.#network.lastServer.kill()

    return this.#run('get', stored, { inFlight: 1 })
  }

  async #costly(operation: Operation, keys: readonly number[]): Promise<Costly> {
    const before = await this.#cpuMs()
    const measured = await this.#run(operation, keys, { inFlight: 1 })
    const after = await this.#cpuMs()
    const count = measured.latenciesMs.length

    return {
      ...measured,
      clientCPUMs: (after.client - before.client) / count,
      serversCPUMs: (after.servers - before.servers) / count
    }
  }

  async #cpuMs(): Promise<{ client: number; servers: number }> {
    const { cpuMs: client } = await this.#network.client.call('usage', {})
    const { cpuMs: servers } = await this.#network.serversUsage()
    return { client, servers }
  }

  async #run(
    operation: Operation,
    keys: readonly number[],
    load: { inFlight: number; limitMs?: number }
  ): Promise<Measured> {
    return this.#network.client.call('run', { operation, keys, ...load }, RUN_TIMEOUT_MS)
  }

  #reads(): readonly Operation[] {
    return this.#contestant.hasLatest ? ['get', 'latest', 'miss'] : ['get', 'miss']
  }
}

/** The keys whose operation was started and did not fail. */
function goodOf(keys: readonly number[], { latenciesMs, failed }: Measured): number[] {
  return keys.slice(0, latenciesMs.length).filter((_, index) => !failed.includes(index))
}
