import { setTimeout as passed } from 'node:timers/promises'
import type { DHTOptions } from '@waggle/dht'
import { type PeerProcess, peerProcess } from '../../peers/peer-process.ts'
import { type Random, sample } from '../../workload/random.ts'

/** A peer in a process of its own. */
export interface Member {
  readonly process: PeerProcess
  readonly addresses: readonly string[]
}

export interface PopulationInit {
  readonly random: Random
  readonly signal: AbortSignal

  /** Called with each peer that has joined, before it counts. */
  readonly onJoin: (process: PeerProcess) => Promise<void>
}

/** How many processes start at the same time. */
const STARTS_AT_ONCE = 4

/** How many of the others a peer is told of. */
const INITIAL_PEERS = 4

/** How often a peer tries to join through others. */
const TRIES = 5

/** Peers that come and go. */
export class Population implements AsyncDisposable {
  readonly #init: PopulationInit
  readonly #members = new Set<Member>()
  /** Of all processes that were started, whatever became of them. */
  readonly #processes = new AsyncDisposableStack()
  dead = 0

  constructor(init: PopulationInit) {
    this.#init = init
  }

  /** Those that are there now. */
  get members(): readonly Member[] {
    return [...this.#members]
  }

  has(member: Member): boolean {
    return this.#members.has(member)
  }

  /** Any of those that are there. */
  any(): Member {
    const [member] = sample(this.members, 1, this.#init.random)

    if (member === undefined) {
      throw new Error('nobody is there')
    }

    return member
  }

  /** Adds so many peers; resolves when they have joined. */
  async grow(count: number): Promise<void> {
    await this.#add()

    for (let left = count - 1; left > 0; left -= STARTS_AT_ONCE) {
      await Promise.all(Array.from({ length: Math.min(left, STARTS_AT_ONCE) }, () => this.#add()))
    }
  }

  /** A process that uses the network, holds nothing for others, and is never killed. */
  async client(): Promise<PeerProcess> {
    const process = this.#start()
    await this.#joined(process, { clientMode: true })
    return process
  }

  /** Kills some of the peers, and starts as many others, again and again. */
  async churn(
    { killed, everyMs, forMs }: { killed: number; everyMs: number; forMs: number },
    onKilled: (count: number) => void
  ): Promise<void> {
    const endMs = performance.now() + forMs
    let replacing: Promise<unknown> = Promise.resolve()

    while (performance.now() < endMs) {
      const next = passed(everyMs, undefined, { signal: this.#init.signal })
      const victims = sample(this.members, killed, this.#init.random)
      await Promise.all(victims.map((victim) => this.#kill(victim)))
      onKilled(victims.length)
      replacing = Promise.all([replacing, ...victims.map(() => this.#add())])
      await Promise.all([next, Promise.race([replacing, next])])
    }

    await replacing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#processes.disposeAsync()
  }

  async #kill(member: Member): Promise<void> {
    this.#members.delete(member)
    this.dead++
    await member.process.kill()
  }

  async #add(): Promise<void> {
    const process = this.#start()
    const addresses = await this.#joined(process)
    await this.#init.onJoin(process)
    this.#members.add({ process, addresses })
  }

  #start(): PeerProcess {
    return this.#processes.use(peerProcess({ signal: this.#init.signal }))
  }

  /** Those whom it is told of may all be killed before it has begun. */
  async #joined(
    process: PeerProcess,
    options: DHTOptions = {},
    triesLeft: number = TRIES
  ): Promise<string[]> {
    const known = sample(this.members, INITIAL_PEERS, this.#init.random)
    const initialPeers = known.flatMap(({ addresses }) => addresses)

    try {
      return await process.call('start', { ...options, initialPeers })
    } catch (error) {
      if (triesLeft === 0 || !process.isRunning) {
        throw error
      }

      return this.#joined(process, options, triesLeft - 1)
    }
  }
}
