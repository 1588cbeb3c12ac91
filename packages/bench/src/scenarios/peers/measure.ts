import { setTimeout as passed } from 'node:timers/promises'
import type { Layers } from '../../floor/bare-node.ts'
import { measureFloor } from '../../floor/measure-floor.ts'
import { SeparateHost } from '../../processes/separate-host.ts'
import type { RunOptions } from '../../result/result.ts'
import type { BulkMeasured, Operation } from '../../systems/client-main.ts'
import { type Contestant, WAGGLE } from '../../systems/contestants.ts'
import { Network } from '../../systems/network.ts'
import type { Load, Measured } from '../../workload/drive.ts'
import { KeyNumbers } from '../../workload/records.ts'

/**
 * Sizes of the scenario: operations of each kind one by one; operations in flight (`depth`), in bursts until the
 * time limit; keys of the bulk calls; gets after nodes have failed; unmeasured operations of each kind before,
 * fewer for a system that is fastest when fresh; and time after which a network has settled.
 */
export const PLANS = {
  full: {
    ...{ rounds: 3, nodesOfProcesses: [5, 5, 5, 5], oneByOne: 200, depth: 50 },
    ...{ burst: 400, maxBursts: 5, burstsLimitMs: 2_000, bulk: [1_000, 10_000], afterFailure: 50 },
    ...{ warmUp: 3_000, warmUpFresh: 20, warmUpLimitMs: 3_000, settleMs: 30_000 }
  },
  quick: {
    ...{ rounds: 1, nodesOfProcesses: [3, 2], oneByOne: 3, depth: 5 },
    ...{ burst: 10, maxBursts: 1, burstsLimitMs: 500, bulk: [20], afterFailure: 5 },
    ...{ warmUp: 3, warmUpFresh: 3, warmUpLimitMs: 500, settleMs: 0 }
  }
}

export type Plan = typeof PLANS.full

/** Measurement with the processor time of one operation. */
export interface Costly extends Measured {
  readonly clientCPUMs: number
  readonly serversCPUMs: number
}

export interface BulkRun extends BulkMeasured {
  readonly by: 'storeMany' | 'getMany'
  readonly keys: number
}

/** Measurements of one system in one round. */
export type SystemRound = Awaited<ReturnType<Round['measure']>>

/** Starts a network of the system and measures one round. */
export async function measureSystem(
  contestant: Contestant,
  plan: Plan,
  signal: AbortSignal
): Promise<SystemRound> {
  const { nodesOfProcesses } = plan
  await using network = await Network.start({ contestant, nodesOfProcesses, signal })
  return await new Round(network, contestant, plan).measure()
}

class Round {
  readonly #network: Network
  readonly #contestant: Contestant
  readonly #plan: Plan
  readonly #startMs = performance.now()
  readonly #reads: readonly Operation[]
  readonly #keys = new KeyNumbers()

  constructor(network: Network, contestant: Contestant, plan: Plan) {
    this.#network = network
    this.#contestant = contestant
    this.#plan = plan
    this.#reads = contestant.hasLatest ? ['get', 'latest', 'miss'] : ['get', 'miss']
  }

  async measure() {
    const { rssBytes: startBytes } = await this.#network.serversUsage()
    await this.#warmUp()
    const oneByOne = await this.#oneByOne()
    const bursts = await this.#bursts()
    const { rssBytes: loadedBytes } = await this.#network.serversUsage()
    const bulk = this.#contestant.hasBulk ? await this.#bulk() : []
    const miss = await this.#misses()
    const all = { ...oneByOne, miss }

    return { oneByOne: all, ...bursts, bulk, crash: await this.#crash(), startBytes, loadedBytes }
  }

  /** Runs all measured code in all processes before it is measured, and opens every connection. */
  async #warmUp(): Promise<void> {
    const { warmUp, warmUpFresh, warmUpLimitMs: limitMs, depth } = this.#plan
    const count = this.#contestant.isBestFresh ? warmUpFresh : warmUp

    for (const inFlight of [1, depth]) {
      const keys = this.#keys.take(count)
      const stored = goodOf(keys, await this.#run('store', keys, { inFlight, limitMs }))

      for (const operation of this.#reads) {
        await this.#run(operation, stored, { inFlight, limitMs })
      }
    }
  }

  async #oneByOne() {
    const keys = this.#keys.take(this.#plan.oneByOne)
    const store = await this.#costly('store', keys)
    const results: Partial<Record<Operation, Costly>> = { store }

    for (const operation of this.#reads.filter((each) => each !== 'miss')) {
      results[operation] = await this.#costly(operation, goodOf(keys, store))
    }

    return results
  }

  /** Measures misses once the network has settled. */
  async #misses(): Promise<Costly> {
    const settleMs = this.#contestant.settles ? this.#plan.settleMs : 0
    await passed(Math.max(0, this.#startMs + settleMs - performance.now()))
    return this.#costly('miss', this.#keys.take(this.#plan.oneByOne))
  }

  /** Runs bursts of stores, each followed by gets of its keys. */
  async #bursts(): Promise<{ stores: Measured[]; gets: Measured[] }> {
    const { burst, maxBursts, burstsLimitMs, depth: inFlight } = this.#plan
    const [stores, gets]: [Measured[], Measured[]] = [[], []]

    for (const start = performance.now(); stores.length < maxBursts; ) {
      const keys = this.#keys.take(burst)
      const store = await this.#run('store', keys, { inFlight })
      stores.push(store)
      gets.push(await this.#run('get', goodOf(keys, store), { inFlight }))

      if (this.#contestant.isBestFresh || performance.now() - start > burstsLimitMs) {
        break
      }
    }

    return { stores, gets }
  }

  async #bulk(): Promise<BulkRun[]> {
    const runs: BulkRun[] = []

    for (const count of this.#plan.bulk) {
      const keys = this.#keys.take(count)

      for (const operation of ['storeMany', 'getMany'] as const) {
        const measured = await this.#network.client.call('bulk', { operation, keys })
        runs.push({ ...measured, by: operation, keys: count })
      }
    }

    return runs
  }

  /** Kills a process, whose connections are reset, and reads. */
  async #crash(): Promise<Measured> {
    const keys = this.#keys.take(this.#plan.afterFailure)
    const stored = goodOf(keys, await this.#run('store', keys))
    await this.#network.lastServer.kill()

    return this.#run('get', stored)
  }

  async #costly(operation: Operation, keys: readonly number[]): Promise<Costly> {
    const cpu = () =>
      Promise.all([this.#network.client.call('usage'), this.#network.serversUsage()])
    const before = await cpu()
    const measured = await this.#run(operation, keys)
    const after = await cpu()
    const spent = (i: 0 | 1) => (after[i].cpuMs - before[i].cpuMs) / measured.latenciesMs.length

    return { ...measured, clientCPUMs: spent(0), serversCPUMs: spent(1) }
  }

  #run(
    operation: Operation,
    keys: readonly number[],
    load: Omit<Load, 'count'> = { inFlight: 1 }
  ): Promise<Measured> {
    return this.#network.client.call('run', { operation, keys, ...load })
  }
}

/** Returns the keys whose operation started and did not fail. */
function goodOf(keys: readonly number[], { latenciesMs, failed }: Measured): number[] {
  return keys.slice(0, latenciesMs.length).filter((_, index) => !failed.includes(index))
}

/** Unmeasured operations before nodes vanish. */
const WARM_UP = 200

/**
 * Measures Waggle's gets after the host of one process has vanished: packets to it are lost, and no connection is
 * reset. Resolves with undefined if the machine does not allow it.
 */
export async function measureVanishing(
  { nodesOfProcesses, warmUp, afterFailure }: Plan,
  signal: AbortSignal
): Promise<Measured[]> {
  using lastHost = await SeparateHost.start({ signal })

  if (lastHost === undefined) {
    return []
  }

  const options = { contestant: WAGGLE, nodesOfProcesses, signal, lastHost }
  await using network = await Network.start(options)
  const numbers = new KeyNumbers()
  const before = numbers.take(Math.min(warmUp, WARM_UP))
  const keys = numbers.take(afterFailure)
  const run = (operation: Operation, on: readonly number[]): Promise<Measured> =>
    network.client.call('run', { operation, keys: on, inFlight: 1 })
  await run('store', [...before, ...keys])
  await run('get', before)
  lastHost.pull()

  return [await run('get', keys)]
}

/** Bare requests for each operation of a system: they are cheap, and this many give steady figures. */
const BARE_TIMES = 10
const BARE_LIMIT_MS = 3_000

/**
 * Measurements of bare streams: a get corresponds to a request to one peer, a store to requests to five peers at
 * once.
 */
export type BareRound = Readonly<Record<'get' | 'store' | 'gets' | 'stores', Measured>>

export async function measureBare(
  layers: Layers,
  { oneByOne, depth }: Plan,
  options: Pick<RunOptions, 'effort' | 'signal'>
): Promise<BareRound> {
  const load = { count: BARE_TIMES * oneByOne, limitMs: BARE_LIMIT_MS }
  const loads = [
    { operation: 'stream', inFlight: 1, ...load },
    { operation: 'fan-out', inFlight: 1, ...load },
    { operation: 'coalesced', inFlight: depth, ...load },
    { operation: 'fan-out coalesced', inFlight: depth, ...load }
  ] as const
  const [get, store, gets, stores] = (await measureFloor(options, loads, layers)) as [
    Measured,
    Measured,
    Measured,
    Measured
  ]

  return { get, store, gets, stores }
}
