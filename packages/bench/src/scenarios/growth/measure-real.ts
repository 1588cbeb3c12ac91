import { availableParallelism } from 'node:os'
import { setTimeout as passed } from 'node:timers/promises'
import { Child, nodeCommand } from '../../processes/child.ts'
import { until } from '../../processes/until.ts'
import { ms } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { RunOptions } from '../../result/result.ts'
import { atOnce } from '../../workload/drive.ts'
import { totalOf } from '../../workload/statistics.ts'
import type { NetworkHandlers } from './network-main.ts'

/**
 * Sizes of the network, which grows; its processes, so many that collections of garbage stay short; newcomers at each
 * size whose joins are measured, and the time until upkeep has processed them; clients, lookups of each before the
 * measurement, and operations; the simulated networks.
 */
export const SIZES = {
  full: {
    ...{ real: [10, 100, 1000], processes: 8, joins: 10, restMs: 25_000, idleMs: 30_000 },
    ...{ clients: 4, lookups: 10, operations: 200 },
    ...{ simulated: [16, 64, 256, 1000, 10_000, 100_000], simulatedOperations: 500 }
  },
  quick: {
    ...{ real: [4], processes: 2, joins: 1, restMs: 0, idleMs: 500 },
    ...{ clients: 1, lookups: 2, operations: 20 },
    ...{ simulated: [16, 64], simulatedOperations: 20 }
  }
}

export type Sizes = typeof SIZES.full
export type RealFigures = Awaited<ReturnType<RealNetwork['measure']>>

/** Work that a node dials for without being asked for anything. */
const DIAL_TASKS = ['join', 'neighbours', 'probe', 'exchange', 'compare', 'clock', 'watch', 'kad']

const TIMEOUT_MS = 1_200_000

/** Nodes that join before the network comes to rest again. Without rest, upkeep of a whole network is due at once. */
const STEP = 100

/**
 * New connections per node and minute below which a network counts as at rest; interval of the checks, and their
 * time limit.
 */
const CALM_PER_MINUTE = 1
const CALM_MS = 2000
const MAX_SETTLE_MS = 120_000

/** A network of real nodes in several processes, and its clients in another one. */
export class RealNetwork implements AsyncDisposable {
  readonly #sizes: Sizes
  readonly #processes: readonly Child<NetworkHandlers>[]
  readonly #clients: Child<NetworkHandlers>
  readonly #log: (line: string) => void
  #addresses: readonly string[] = []

  constructor(sizes: Sizes, { log, signal }: Pick<RunOptions, 'log' | 'signal'>) {
    const command = nodeCommand(new URL('network-main.ts', import.meta.url))
    const start = () => new Child<NetworkHandlers>(command, { signal, timeoutMs: TIMEOUT_MS })
    this.#sizes = sizes
    this.#log = log
    this.#processes = Array.from({ length: sizes.processes }, start)
    this.#clients = start()
  }

  /** Grows the network to a number of nodes; resolves with the costs of joins, idling and operations there. */
  async measure(nodes: number) {
    const { clients, idleMs, joins, lookups, operations, restMs } = this.#sizes
    await this.#grow(nodes - joins)
    await passed(restMs)
    const joining = await this.#spent(async () => {
      const tookMs = await this.#joinOneByOne(joins)
      await passed(restMs)
      return tookMs
    })
    const idle = await this.#spent(() => passed(idleMs))
    // One after the other: processes that all collect garbage at once seem to have slept, and nodes catch up after that.
    const held = await Array.fromAsync(this.#processes, (process) => process.call('held'))
    const perNode = (of: (each: (typeof held)[number]) => number) => totalOf(held, of) / nodes
    await this.#clients.call('startClients', { count: clients, lookups, known: this.#addresses })

    return {
      ...{ nodes, joinMs: joining.result },
      joinCpuMs: (joining.cpuMs - (idle.cpuMs / idle.elapsedMs) * joining.elapsedMs) / joins,
      joinDials: joining.opened / joins,
      idleCPU: (100 * idle.cpuMs) / idle.elapsedMs / nodes,
      dialsPerHour: (idle.opened / nodes) * (3_600_000 / idle.elapsedMs),
      dialsByTask: DIAL_TASKS.map((task) => ({
        task,
        perJoin: joining.dialsOf(task) / joins,
        perHour: (idle.dialsOf(task) / nodes) * (3_600_000 / idle.elapsedMs)
      })),
      connections: perNode(({ connections }) => connections),
      known: perNode(({ known }) => known),
      usedBytes: perNode(({ usedBytes }) => usedBytes),
      residentBytes: perNode(({ rssBytes }) => rssBytes),
      operations: await Array.fromAsync(['get', 'get latest', 'store'] as const, (operation) =>
        this.#clients.call('measure', { operation, count: operations })
      )
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#processes, this.#clients].map((process) => process.kill()))
  }

  /**
   * Makes all processes start their shares, step by step, with the first node of all alone. As many nodes join at once as
   * the machine has processors: the network grows, and is not overloaded.
   */
  async #grow(nodes: number): Promise<void> {
    await this.#join(0, Math.min(nodes, 1) - Math.min(this.#addresses.length, 1))

    for (let size = this.#addresses.length; size < nodes; size = this.#addresses.length) {
      const missing = Math.min(nodes - size, STEP)
      const { cpuMs, elapsedMs } = await this.#spent(async () => {
        const shares = this.#processes.map((_, i, { length }) => Math.floor((missing + i) / length))
        const next = shares.entries()
        await atOnce(availableParallelism(), async () => {
          const { done, value: [place, share] = [0, 0] } = next.next()
          await this.#join(place, share)
          return !done
        })
        await this.#settle()
      })
      this.#log(
        `${size + missing} nodes: ${figure(cpuMs / missing)} ms of CPU for a join, in ${ms(elapsedMs)}`
      )
    }
  }

  async #joinOneByOne(joins: number): Promise<number[]> {
    const tookMs: number[] = []

    for (let i = 0; i < joins; i++) {
      tookMs.push(...(await this.#join(i % this.#processes.length, 1)))
    }

    return tookMs
  }

  async #join(place: number, count: number): Promise<number[]> {
    const process = this.#processes[place] as Child<NetworkHandlers>
    const joined = await process.call('join', { count, known: this.#addresses })
    this.#addresses = [...this.#addresses, ...joined.addresses]
    return joined.tookMs
  }

  /** Resolves when few new connections are opened. */
  async #settle(): Promise<void> {
    const most = (CALM_PER_MINUTE * this.#addresses.length * CALM_MS) / 60_000
    const isCalm = async () => (await this.#spent(() => passed(CALM_MS))).opened <= most
    await until('the network comes to rest', isCalm, MAX_SETTLE_MS)
  }

  /** Runs a function; resolves with the resources that all nodes used meanwhile. */
  async #spent<T>(run: () => Promise<T>) {
    const used = () => Promise.all(this.#processes.map((process) => process.call('used')))
    const startMs = performance.now()
    const before = await used()
    const result = await run()
    const after = await used()
    const sum = (of: (each: (typeof after)[number]) => number) =>
      totalOf(after, of) - totalOf(before, of)
    return {
      ...{ result, elapsedMs: performance.now() - startMs },
      ...{ cpuMs: sum(({ cpuMs }) => cpuMs), opened: sum(({ opened }) => opened) },
      dialsOf: (task: string) => sum(({ dialsByTask }) => dialsByTask[task] ?? 0)
    }
  }
}
