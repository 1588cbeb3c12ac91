import { setTimeout as passed } from 'node:timers/promises'
import type { DHTOptions } from '@waggle/dht'
import { type NodesProcess, nodesProcess } from '../../nodes/nodes-process.ts'
import { inGroups } from '../../nodes/settle.ts'
import { bundleLibraries } from '../../processes/bundles.ts'
import { any, type Random, sample } from '../../workload/random.ts'

/** A peer in a process of its own. */
export interface Member {
  readonly peer: NodesProcess
  readonly addresses: readonly string[]
}

/** Processes that start at the same time. */
const STARTS_AT_ONCE = 4

/** Initial peers of each peer. */
const INITIAL_PEERS = 4

/** Attempts of a peer to join through others. */
const TRIES = 5

export interface PopulationInit {
  readonly random: Random
  readonly signal: AbortSignal

  /** Connections that each peer keeps. */
  readonly connections: DHTOptions['connections']

  /** Called with each peer that has joined, before it becomes a member. */
  readonly onJoin: (peer: NodesProcess) => Promise<void>
}

/** Peers that join and are killed. */
export class Population implements AsyncDisposable {
  readonly #random: Random
  readonly #signal: AbortSignal
  readonly #onJoin: (peer: NodesProcess) => Promise<void>
  readonly #connections: DHTOptions['connections']
  readonly #members = new Set<Member>()
  readonly #processes = new AsyncDisposableStack()
  killed = 0

  constructor({ connections, random, signal, onJoin }: PopulationInit) {
    this.#random = random
    this.#signal = signal
    this.#onJoin = onJoin
    this.#connections = connections
  }

  get members(): readonly Member[] {
    return [...this.#members]
  }

  has(member: Member): boolean {
    return this.#members.has(member)
  }

  any(): Member {
    return any(this.members, this.#random)
  }

  /** Adds peers; resolves when they have joined. */
  async grow(count: number): Promise<void> {
    await bundleLibraries()
    await this.#add()
    await inGroups(Array.from({ length: count - 1 }), STARTS_AT_ONCE, () => this.#add())
  }

  /** Starts a client, which stores no records for others and is never killed. */
  async client(): Promise<NodesProcess> {
    const peer = this.#start()
    await this.#join(peer, { clientMode: true })
    return peer
  }

  /** Kills some of the peers and starts as many others, repeatedly. */
  async churn(
    { kills, everyMs, forMs }: Record<'kills' | 'everyMs' | 'forMs', number>,
    onKilled: (count: number) => void
  ): Promise<void> {
    const endMs = performance.now() + forMs
    let replacing: Promise<unknown> = Promise.resolve()

    while (performance.now() < endMs) {
      const next = passed(everyMs, undefined, { signal: this.#signal })
      const victims = sample(this.members, kills, this.#random)
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
    this.killed++
    await member.peer.kill()
  }

  async #add(): Promise<void> {
    const peer = this.#start()
    const addresses = await this.#join(peer)
    await this.#onJoin(peer)
    this.#members.add({ peer, addresses })
  }

  #start(): NodesProcess {
    return this.#processes.use(nodesProcess({ signal: this.#signal, isBundled: true }))
  }

  /** Joins. All initial peers of an attempt can be killed before it begins, so there are several attempts. */
  async #join(peer: NodesProcess, options: DHTOptions = {}, tries = TRIES): Promise<string[]> {
    const known = sample(this.members, INITIAL_PEERS, this.#random)
    const initialPeers = known.flatMap(({ addresses }) => addresses)

    try {
      return (
        await peer.call('start', {
          options: { connections: this.#connections, ...options, initialPeers }
        })
      ).flat()
    } catch (error) {
      if (tries === 0 || !peer.isRunning) {
        throw error
      }

      return this.#join(peer, options, tries - 1)
    }
  }
}
