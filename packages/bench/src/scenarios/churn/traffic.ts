import { setTimeout as passed } from 'node:timers/promises'
import { type Random, sample } from '../../workload/random.ts'
import type { Ledger, Verdict, Writing } from './ledger.ts'
import type { Member, Population } from './population.ts'

export interface TrafficInit {
  readonly population: Population
  readonly ledger: Ledger
  readonly random: Random
  readonly signal: AbortSignal
}

export type Kind = 'get' | 'latest get' | 'latest get at the end' | 'store' | 'delete'

/** What became of the operations of one kind. */
export interface Tally {
  readonly tookMs: number[]
  readonly verdicts: Record<Verdict, number>

  /** Asked of a peer that was killed before it answered. */
  lost: number

  /** Answered with an error by a peer that is there, or with `false` by a store. */
  failed: number
}

const AT_ONCE = 8

/** Reads and writes by peers chosen at random. */
export class Traffic {
  readonly #init: TrafficInit
  readonly tallies: Readonly<Record<Kind, Tally>> = {
    store: tally(),
    delete: tally(),
    get: tally(),
    'latest get': tally(),
    'latest get at the end': tally()
  }

  /** What was wrong, in words. */
  readonly complaints: string[] = []

  constructor(init: TrafficInit) {
    this.#init = init
  }

  /** Writes every record, each until it is acknowledged. */
  async writeAll(): Promise<void> {
    await this.#each(this.#init.ledger.keys, async (key) => {
      while (this.#init.ledger.acknowledgedUntil(key) === 0) {
        await this.#write('store', key)
      }
    })
  }

  /** Reads every lasting record once more. */
  async readAll(): Promise<void> {
    await this.#each(this.#init.ledger.lasting, (key) => this.#read('latest get at the end', key))
  }

  /** So many operations a second until the signal is aborted; resolves when all have ended. */
  async goOn(rate: number, ended: AbortSignal): Promise<void> {
    const underWay = new Set<Promise<void>>()

    while (!ended.aborted) {
      const operation = this.#any().finally(() => underWay.delete(operation))
      underWay.add(operation)
      await passed((1000 / rate) * 2 * this.#init.random())
    }

    await Promise.all(underWay)
  }

  async #each(keys: readonly string[], apply: (key: string) => Promise<void>): Promise<void> {
    const left = [...keys]
    const work = async (): Promise<void> => {
      for (let key = left.pop(); key !== undefined; key = left.pop()) {
        this.#init.signal.throwIfAborted()
        await apply(key)
      }
    }

    await Promise.all(Array.from({ length: AT_ONCE }, work))
  }

  /** Brief records are for those who watch: what a reader must find of them changes while they read. */
  #any(): Promise<void> {
    const { ledger, random } = this.#init
    const [key = ''] = sample(ledger.keys, 1, random)
    const kinds = ledger.isBrief(key)
      ? [() => this.#write('store', key), () => this.#write('delete', key)]
      : [
          () => this.#write('store', key),
          () => this.#read('get', key),
          () => this.#read('latest get', key)
        ]
    const [begin] = sample(kinds, 1, random)
    return begin?.() ?? Promise.resolve()
  }

  async #write(kind: 'store' | 'delete', key: string): Promise<void> {
    const { ledger, population } = this.#init
    const writing = ledger.begin(key, { isDeletion: kind === 'delete' })
    const member = population.any()

    if (writing !== undefined) {
      const isStored = await this.#timed(kind, member, () => send(member, writing))
      ledger.end(writing, isStored === true)

      // One that came too late for its own expiration is answered with `false`, rightly.
      const isInTime = writing.expirationTime > Date.now() / 1000
      this.tallies[kind].failed += Number(isStored === false && isInTime)
    }
  }

  async #read(kind: Exclude<Kind, 'store' | 'delete'>, key: string): Promise<void> {
    const { ledger, population } = this.#init
    const acknowledgedUntil = ledger.acknowledgedUntil(key)
    const member = population.any()
    const answer = await this.#timed(kind, member, async () => ({
      found: await member.process.call('get', { key, latest: kind !== 'get' })
    }))

    if (answer !== undefined) {
      const verdict = ledger.judge(key, answer.found, acknowledgedUntil)
      this.tallies[kind].verdicts[verdict]++

      if (verdict !== 'right' && !(kind === 'get' && verdict === 'stale')) {
        this.complaints.push(`${kind} of ${key}: ${verdict}`)
      }
    }
  }

  /** Undefined if there was no answer. */
  async #timed<T>(kind: Kind, member: Member, run: () => Promise<T>): Promise<T | undefined> {
    const startMs = performance.now()
    const { tookMs } = this.tallies[kind]

    try {
      const answer = await run()
      tookMs.push(performance.now() - startMs)
      return answer
    } catch (error) {
      if (this.#init.population.has(member)) {
        this.tallies[kind].failed++
        this.complaints.push(`${kind}: ${error}`)
      } else {
        this.tallies[kind].lost++
      }

      return undefined
    }
  }
}

function send({ process }: Member, { key, value, expirationTime }: Writing): Promise<boolean> {
  return value === undefined
    ? process.call('delete', { key, expirationTime })
    : process.call('store', { key, value, expirationTime })
}

function tally(): Tally {
  return {
    tookMs: [],
    verdicts: { right: 0, stale: 0, missing: 0, false: 0 },
    lost: 0,
    failed: 0
  }
}
