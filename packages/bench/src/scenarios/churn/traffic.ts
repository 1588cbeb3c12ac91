import { setTimeout as passed } from 'node:timers/promises'
import { atOnce } from '../../workload/drive.ts'
import { any, type Random } from '../../workload/random.ts'
import type { Ledger, Verdict } from './ledger.ts'
import type { Member, Population } from './population.ts'

export interface TrafficInit {
  readonly population: Population
  readonly ledger: Ledger
  readonly random: Random
  readonly signal: AbortSignal
}

type Reading = 'get' | 'latest get' | 'latest get in the end'
type Writing = 'store' | 'delete'

/** Outcomes of the operations of one kind. */
export interface Tally {
  readonly tookMs: number[]
  readonly verdicts: Record<Verdict, number>

  /** Operations of a peer that was killed before it answered. */
  lost: number

  /** Errors of a running peer, and stores that resolved with `false`. */
  failed: number
}

/** Operations at the same time while all records are written or read. */
const AT_ONCE = 8

/** Reads and writes by peers chosen at random. */
export class Traffic {
  readonly #init: TrafficInit
  readonly tallies: Readonly<Record<Reading | Writing, Tally>> = {
    store: newTally(),
    delete: newTally(),
    get: newTally(),
    'latest get': newTally(),
    'latest get in the end': newTally()
  }

  /** What failed, and when, in seconds from the start. */
  readonly failures: string[] = []
  readonly #startMs = performance.now()

  constructor(init: TrafficInit) {
    this.#init = init
  }

  /** Writes every record until it is acknowledged. */
  async writeAll(): Promise<void> {
    const { ledger } = this.#init
    await this.#each(ledger.keys, async (key) => {
      while (ledger.acknowledgedUntil(key) === 0) {
        await this.#write('store', key)
      }
    })
  }

  /** Reads every lasting record once more. */
  async readAll(): Promise<void> {
    await this.#each(this.#init.ledger.lasting, (key) => this.#read('latest get in the end', key))
  }

  /** Runs operations at the rate per second until the signal is aborted; resolves when all have ended. */
  async run(rate: number, ended: AbortSignal): Promise<void> {
    const running: Promise<void>[] = []

    while (!ended.aborted) {
      running.push(this.#any())
      await passed((1000 / rate) * 2 * this.#init.random())
    }

    await Promise.all(running)
  }

  async #each(keys: readonly string[], apply: (key: string) => Promise<void>): Promise<void> {
    const left = [...keys]
    await atOnce(AT_ONCE, async () => {
      this.#init.signal.throwIfAborted()
      const key = left.pop()
      await (key && apply(key))
      return key !== undefined
    })
  }

  /** Runs a random operation. Brief records are not read: they change while a reader reads. */
  #any(): Promise<void> {
    const { ledger, random } = this.#init
    const key = any(ledger.keys, random)
    const kind = ledger.isBrief(key)
      ? any(['store', 'delete'] as const, random)
      : any(['store', 'get', 'latest get'] as const, random)
    return kind === 'store' || kind === 'delete' ? this.#write(kind, key) : this.#read(kind, key)
  }

  async #write(kind: Writing, key: string): Promise<void> {
    const { ledger } = this.#init
    const write = ledger.begin(key, { isDeletion: kind === 'delete' })

    if (write === undefined) {
      return
    }

    const { value, expirationTime } = write
    const isStored = await this.#time(kind, ({ peer }) =>
      value === undefined
        ? peer.call('delete', { key, expirationTime })
        : peer.call('store', { key, value, expirationTime })
    )
    ledger.end(write, isStored === true)

    // `false` is right for a write that has expired meanwhile.
    const isInTime = expirationTime > Date.now() / 1000
    this.tallies[kind].failed += Number(isStored === false && isInTime)
  }

  async #read(kind: Reading, key: string): Promise<void> {
    const { ledger } = this.#init
    const acknowledgedUntil = ledger.acknowledgedUntil(key)
    const answer = await this.#time(kind, async ({ peer }) => ({
      found: await peer.call('get', { key, latest: kind !== 'get' })
    }))

    if (answer !== undefined) {
      this.tallies[kind].verdicts[ledger.judge(key, answer.found, acknowledgedUntil)]++
    }
  }

  /** Times an operation of a random peer; resolves with undefined if there was no answer. */
  async #time<T>(
    kind: Reading | Writing,
    run: (member: Member) => Promise<T>
  ): Promise<T | undefined> {
    const { population } = this.#init
    const member = population.any()
    const startMs = performance.now()
    const tally = this.tallies[kind]

    try {
      const answer = await run(member)
      tally.tookMs.push(performance.now() - startMs)
      return answer
    } catch (error) {
      if (population.has(member)) {
        const after = ((performance.now() - this.#startMs) / 1000).toFixed(1)
        tally.failed++
        this.failures.push(`After ${after} s, a ${kind} failed: ${firstLineOf(error)}`)
      } else {
        tally.lost++
      }

      return undefined
    }
  }
}

function firstLineOf(error: unknown): string {
  return String(error).split('\n')[0] ?? ''
}

function newTally(): Tally {
  const verdicts = { right: 0, stale: 0, missing: 0, false: 0 }
  return { tookMs: [], verdicts, lost: 0, failed: 0 }
}
