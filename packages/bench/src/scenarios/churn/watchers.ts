import { setTimeout as passed } from 'node:timers/promises'
import type { Delivery } from '../../nodes/nodes-main.ts'
import type { NodesProcess } from '../../nodes/nodes-process.ts'
import { steadyTimeMs } from '../../processes/usage.ts'
import { type Random, sample } from '../../workload/random.ts'
import { totalOf } from '../../workload/statistics.ts'
import type { Ledger, Verdict } from './ledger.ts'

/** One key that one process watches. */
export interface Watch {
  readonly by: string
  readonly key: string
  readonly process: NodesProcess

  /** Start of the watch on the machine's steady clock. */
  readonly sinceMs: number
  readonly deliveries: Delivery[]
}

/** Time limit: by then every watcher has polled its replicas twice. */
const PATIENCE_MS = 65_000
const POLL_MS = 50

/** Watches of all processes, and their deliveries. */
export class Watchers {
  readonly #ledger: Ledger
  readonly #random: Random
  readonly #watches = new Map<NodesProcess, readonly Watch[]>()

  constructor(ledger: Ledger, random: Random) {
    this.#ledger = ledger
    this.#random = random
  }

  /** Makes a process watch random records. */
  async add(by: string, process: NodesProcess, counts: { lasting: number; brief: number }) {
    const { lasting, brief } = this.#ledger
    const keys = [
      ...sample(lasting, counts.lasting, this.#random),
      ...sample(brief, counts.brief, this.#random)
    ]
    await process.call('watch', keys)
    const sinceMs = steadyTimeMs()
    const watches = keys.map((key) => ({ by, key, process, sinceMs, deliveries: [] }))
    this.#watches.set(process, watches)
  }

  /** Watches of running processes: the deliveries to killed ones are unknown. */
  get watches(): Watch[] {
    return [...this.#watches.values()].flat().filter(({ process }) => process.isRunning)
  }

  /** Watches whose last delivery is not the final state. */
  get late(): Watch[] {
    return this.watches.filter((watch) => this.verdict(watch) !== 'right')
  }

  verdict({ key, deliveries }: Watch): Verdict {
    return this.#ledger.judgeLast(key, deliveries.at(-1)?.found)
  }

  /**
   * Waits until all brief records have expired, and the last delivery of every key is right or can no longer become
   * so. Resolves with the time that it took.
   */
  async settle({ signal }: { signal: AbortSignal }): Promise<number> {
    const startMs = steadyTimeMs()
    let deadlineMs = Number.POSITIVE_INFINITY

    do {
      await passed(POLL_MS, undefined, { signal })
      await this.#fetch()

      if (this.#ledger.isBriefOver) {
        deadlineMs = Math.min(deadlineMs, steadyTimeMs() + PATIENCE_MS)
      }
    } while (!this.#ledger.isBriefOver || (this.late.length > 0 && steadyTimeMs() < deadlineMs))

    return steadyTimeMs() - startMs
  }

  /**
   * Returns the delivery time of each store that was acknowledged since the watch began, from the call of the
   * store; undefined for one that was not delivered because a later one replaced it.
   */
  deliveryTimes({ key, sinceMs, deliveries }: Watch): (number | undefined)[] {
    const atMs = new Map(deliveries.map((each) => [each.found?.expirationTime, each.atMs]))
    return this.#ledger
      .acknowledged(key)
      .filter(({ value, beganMs }) => value !== undefined && beganMs >= sinceMs)
      .map(({ expirationTime, beganMs }) => {
        const deliveredMs = atMs.get(expirationTime)
        return deliveredMs && deliveredMs - beganMs
      })
  }

  /** Fetches new deliveries from all running processes. */
  async #fetch(): Promise<void> {
    const running = [...this.#watches].filter(([process]) => process.isRunning)
    await Promise.all(
      running.map(async ([process, watches]) => {
        const known = totalOf(watches, ({ deliveries }) => deliveries.length)

        for (const delivery of await process.call('deliveries', known)) {
          watches.find(({ key }) => key === delivery.key)?.deliveries.push(delivery)
        }
      })
    )
  }
}
