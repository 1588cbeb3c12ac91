import { setTimeout as passed } from 'node:timers/promises'
import type { Found } from '@waggle/dht'
import type { Delivery } from '../../peers/deliveries.ts'
import { machineTimeMs } from '../../peers/machine-time.ts'
import type { PeerProcess } from '../../peers/peer-process.ts'
import { type Random, sample } from '../../workload/random.ts'
import type { Ledger, Verdict, Writing } from './ledger.ts'

/** How many records of each sort are watched. */
export interface Share {
  readonly lasting: number
  readonly brief: number
}

export interface WatchersInit {
  readonly ledger: Ledger
  readonly random: Random
  readonly signal: AbortSignal
}

/** One key that one process watches. */
export interface Watch {
  readonly by: string
  readonly key: string
  readonly process: PeerProcess

  /** When, on the machine's steady clock. */
  readonly sinceMs: number
  readonly deliveries: Delivery[]
}

/** A store that was acknowledged, and how long it took from its beginning to the watcher. */
export interface Told {
  readonly writing: Writing

  /** Undefined if it never came: it was replaced before. */
  readonly tookMs: number | undefined
}

/** What is not there by then is missed: every watcher has asked again twice. */
const PATIENCE_MS = 65_000
const POLL_MS = 50

/** Who watches what, and what was delivered to them. */
export class Watchers {
  readonly #init: WatchersInit
  readonly #watches = new Map<PeerProcess, ReadonlyMap<string, Watch>>()

  constructor(init: WatchersInit) {
    this.#init = init
  }

  /** Has a process watch some of the records, chosen at random. */
  async add(by: string, process: PeerProcess, { lasting, brief }: Share): Promise<void> {
    const { ledger, random } = this.#init
    const keys = [
      ...sample(ledger.lasting, lasting, random),
      ...sample(ledger.brief, brief, random)
    ]
    await process.call('watch', keys)
    const sinceMs = machineTimeMs()
    const watches = keys.map((key): Watch => ({ by, key, process, sinceMs, deliveries: [] }))
    this.#watches.set(process, new Map(watches.map((watch) => [watch.key, watch])))
  }

  /** Of processes that are still there: what was delivered to others nobody knows. */
  get watches(): Watch[] {
    return [...this.#watches]
      .filter(([process]) => process.isRunning)
      .flatMap(([, watches]) => [...watches.values()])
  }

  /**
   * Waits until all that is brief has expired, and what was delivered last of every key is what must be
   * there, or that will not come about any more. Answers how many milliseconds it took.
   */
  async settle(): Promise<number> {
    const { ledger, signal } = this.#init
    const startMs = machineTimeMs()

    while (!ledger.isBriefOver) {
      await passed(POLL_MS, undefined, { signal })
    }

    const deadlineMs = machineTimeMs() + PATIENCE_MS
    await this.#hear(this.watches)

    for (
      let late = this.late();
      late.length > 0 && machineTimeMs() < deadlineMs;
      late = this.late()
    ) {
      await passed(POLL_MS, undefined, { signal })
      await this.#hear(late)
    }

    const tookMs = machineTimeMs() - startMs
    await this.#hear(this.watches)
    return tookMs
  }

  /** Those to which something else was delivered last than must be there. */
  late(): Watch[] {
    return this.watches.filter((watch) => this.verdict(watch) !== 'right')
  }

  verdict({ key, deliveries }: Watch): Verdict {
    return this.#init.ledger.judgeLast(key, lastOf(deliveries))
  }

  /** What became of each value that was stored, and acknowledged, since it is watched. */
  told({ key, sinceMs, deliveries }: Watch): Told[] {
    const atMs = new Map(deliveries.map((each) => [each.found?.expirationTime, each.atMs]))
    return this.#init.ledger
      .acknowledged(key)
      .filter(({ value, beganMs }) => value !== undefined && beganMs >= sinceMs)
      .map((writing) => {
        const deliveredMs = atMs.get(writing.expirationTime)
        return {
          writing,
          tookMs: deliveredMs === undefined ? undefined : deliveredMs - writing.beganMs
        }
      })
  }

  async #hear(watches: readonly Watch[]): Promise<void> {
    await Promise.all(
      [...new Set(watches.map(({ process }) => process))].map((process) => this.#hearOf(process))
    )
  }

  async #hearOf(process: PeerProcess): Promise<void> {
    const watches = this.#watches.get(process) ?? new Map<string, Watch>()
    const known = [...watches.values()].reduce((sum, { deliveries }) => sum + deliveries.length, 0)

    for (const delivery of await process.call('deliveries', known)) {
      watches.get(String(delivery.key))?.deliveries.push(delivery)
    }
  }
}

function lastOf(deliveries: readonly Delivery[]): Found | undefined {
  return deliveries.at(-1)?.found
}
