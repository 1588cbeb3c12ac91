import { setTimeout as passed } from 'node:timers/promises'
import { any, type Random, sample } from '../../workload/random.ts'
import type { ChaosNetwork, Member } from './network.ts'

/** Milliseconds of the mean pause between two faults of a kind, and of their durations. */
const KINDS = {
  kill: { everyMs: 12_000, forMs: [200, 8000] },
  stop: { everyMs: 8000, forMs: [1000, 20_000] },
  cut: { everyMs: 15_000, forMs: [3000, 60_000] },
  clock: { everyMs: 10_000, forMs: [0, 0] },
  disk: { everyMs: 10_000, forMs: [2000, 15_000] }
} as const

export type FaultKind = keyof typeof KINDS

/** Nodes that are killed or stopped at a time: fewer than there are replicas of a record. */
const MAX_DOWN = 2
const MIN_APART = 2
const MAX_CLOCK_AHEAD_MS = 240_000
const MAX_DISK_DELAY_MS = 3000

export interface FaultsInit {
  readonly network: ChaosNetwork
  readonly random: Random
  readonly signal: AbortSignal
  readonly log: (line: string) => void
}

/** Disturbs a network in several ways at the same time. */
export class Faults {
  readonly #init: FaultsInit
  readonly #down = new Set<Member>()
  readonly counts: Record<FaultKind, number> = { kill: 0, stop: 0, cut: 0, clock: 0, disk: 0 }

  constructor(init: FaultsInit) {
    this.#init = init
  }

  /** Resolves when the time is over and all faults have ended, except those of clocks. */
  async run(forMs: number): Promise<void> {
    const endMs = performance.now() + forMs
    const kinds = Object.keys(KINDS) as FaultKind[]
    // Two nodes can be stopped at a time.
    await Promise.all(['stop' as const, ...kinds].map((kind) => this.#repeat(kind, endMs)))
  }

  async #repeat(kind: FaultKind, endMs: number): Promise<void> {
    const { random, signal } = this.#init
    const { everyMs, forMs } = KINDS[kind]
    const [least, most] = forMs
    const leftMs = () => endMs - performance.now()

    while (leftMs() > 0) {
      await passed(Math.min(leftMs(), everyMs * 2 * random()), undefined, { signal })
      // Most faults are short.
      const lasts = Math.min(leftMs(), least + (most - least) * random() ** 2)
      await (leftMs() > 0 && this.#cause(kind, Math.max(lasts, 0)))
    }
  }

  async #cause(kind: FaultKind, forMs: number): Promise<void> {
    const { network, random } = this.#init

    switch (kind) {
      case 'kill':
      case 'stop':
        return this.#takeDown(kind, forMs)
      case 'cut': {
        const most = network.members.length / 2
        const count = MIN_APART + Math.floor((most - MIN_APART + 1) * random())
        const apart = sample(network.members, count, random)
        this.#note(kind, `${apart.map(nameOf)} for ${Math.round(forMs)} ms`)
        return network.cut(new Set(apart), forMs)
      }
      case 'clock':
        return this.#stepClock()
      case 'disk':
        return this.#slowDisk(forMs)
    }
  }

  async #takeDown(kind: 'kill' | 'stop', forMs: number): Promise<void> {
    const { network, random } = this.#init
    const up = network.members.filter((each) => each.process && !this.#down.has(each))

    if (this.#down.size < MAX_DOWN) {
      const victim = any(up, random)
      this.#down.add(victim)
      this.#note(kind, `${nameOf(victim)} for ${Math.round(forMs)} ms`)
      await network[kind](victim, forMs)
      this.#note(kind, `${nameOf(victim)} is back`, 0)
      this.#down.delete(victim)
    }
  }

  async #stepClock(): Promise<void> {
    const { random } = this.#init
    const member = this.#anyUp()
    const aheadMs = Math.round(MAX_CLOCK_AHEAD_MS * (2 * random() - 1) * random())
    this.#note('clock', `${nameOf(member)} is ${aheadMs} ms ahead`)
    await this.#init.network.moveClock(member, aheadMs - member.clockAheadMs).catch(() => {})
  }

  async #slowDisk(forMs: number): Promise<void> {
    const { network, random } = this.#init
    const member = this.#anyUp()
    const delayMs = Math.round(MAX_DISK_DELAY_MS * random() ** 2)
    this.#note('disk', `${nameOf(member)} takes ${delayMs} ms, for ${Math.round(forMs)} ms`)
    await network.slowDisk(member, delayMs, forMs).catch(() => {})
  }

  #anyUp(): Member {
    const { network, random } = this.#init
    return any(
      network.members.filter((each) => each.process && !this.#down.has(each)),
      random
    )
  }

  #note(kind: FaultKind, text: string, count = 1): void {
    this.counts[kind] += count
    this.#init.log(`${kind}: ${text}`)
  }
}

function nameOf({ host }: Member): string {
  return host
}
