import type { PeerId, TypedEventTarget } from '@libp2p/interface'
import { encodedSize } from '@waggle/record/replica'
import type { DHTEvents } from '../events.ts'
import type { Member } from '../peers/known-peers.ts'
import { keyOf } from '../store/record-store.ts'
import { Alarm } from '../timing/alarm.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { nextTask } from '../timing/end-of-turn.ts'
import { AntiEntropy } from './anti-entropy.ts'
import { handOverAll } from './hand-over-all.ts'
import {
  COMPARE_MS,
  PASS_DELAY_MS,
  PASS_INTERVAL_MS,
  REPLICATE_INTERVAL_MS,
  RETRY_MS
} from './intervals.ts'
import { MembershipView } from './membership-view.ts'
import { type Pass, receiversOf } from './pass.ts'
import { findReturned } from './returned-peers.ts'
import { type Transfer, Transfers } from './transfers.ts'
import type { UpkeepInit } from './upkeep-init.ts'

/** Records processed before other work runs. */
const SLICE = 256

/**
 * Keeps records at the nearest peers as peers come and go (N7). A pass over all records runs a moment after the
 * first change, and covers all changes until then.
 */
export class Upkeep implements CancellationToken {
  readonly #init: UpkeepInit
  readonly #antiEntropy: AntiEntropy
  readonly #transfers: Transfers
  #compareAtMs = Number.POSITIVE_INFINITY
  /** The servers at the last pass, this node included. */
  #settled: MembershipView
  /** The servers when the last pass or comparison began. */
  #present: MembershipView
  #replicateAtMs = performance.now() + REPLICATE_INTERVAL_MS
  /** Start of the last pass, in ms of the process's clock. */
  #lastStartMs = Number.NEGATIVE_INFINITY
  #running: Promise<void> | undefined
  readonly #alarm = new Alarm(() => {
    this.#runDue().catch((error) => this.#init.log('upkeep failed - %e', error))
  })

  isCancelled = false

  constructor(init: UpkeepInit) {
    this.#init = init
    this.#settled = new MembershipView([alwaysThere(init.self)])
    this.#present = this.#settled
    this.#transfers = new Transfers({
      ...init,
      sinceMs: (peer) => this.#present.sinceMs(peer),
      cancellation: this
    })
    this.#antiEntropy = new AntiEntropy({
      ...init,
      send: (to, key, record) => this.#transfers.send(to, key, record)
    })
  }

  /** Runs passes after peers have come or gone, until the signal is aborted. */
  follow(events: TypedEventTarget<DHTEvents>, signal: AbortSignal): void {
    const onChange = ({ detail }: CustomEvent<PeerId>): void => {
      if (!this.#init.isNear(detail)) {
        return
      }

      this.#alarm.within(PASS_DELAY_MS * (1 + Math.random()))
      this.#compareWithin(COMPARE_MS * (1 + Math.random()))
    }
    events.addEventListener('peer:found', onChange, { signal })
    events.addEventListener('peer:lost', onChange, { signal })
    signal.addEventListener('abort', () => this.#stop())
  }

  /**
   * Hands over the records that new owners lack, or all of them if this node is no replica any more. Resolves when
   * all records are at their owners, according to this node, or this pass could not send more.
   */
  run(): Promise<void> {
    return this.#alone(() => this.#pass())
  }

  /** Looks up the nearest peers, runs a pass, and then compares records with new replicas. */
  compareReplicas(): Promise<void> {
    this.#compareAtMs = Number.POSITIVE_INFINITY
    return this.#alone(async () => {
      await this.#init.findNeighbours()
      await this.#pass()

      if (this.#init.isReplica() && !(await this.#antiEntropy.run(this.#members()))) {
        this.#compareWithin(COMPARE_MS)
      }
    })
  }

  /**
   * Compares all records with another replica's, and updates those that were replaced while this node slept. Sends
   * nothing to replicas that have only been away.
   */
  async refresh(): Promise<void> {
    if (this.#init.isReplica()) {
      await this.#antiEntropy.findReplaced(this.#members(), (key) => this.#init.reconcile(key))
    }
  }

  #runDue(): Promise<void> {
    return performance.now() < this.#compareAtMs ? this.run() : this.compareReplicas()
  }

  #compareWithin(ms: number): void {
    this.#compareAtMs = Math.min(this.#compareAtMs, performance.now() + ms)
    this.#alarm.within(this.#compareAtMs - performance.now())
  }

  async #alone(work: () => Promise<void>): Promise<void> {
    while (this.#running !== undefined) {
      await this.#running.catch(() => {})
    }

    this.#running = work()

    try {
      await this.#running
    } finally {
      this.#running = undefined
      this.#alarm.within(Math.min(PASS_INTERVAL_MS, this.#compareAtMs - performance.now()))
    }
  }

  #stop(): void {
    this.isCancelled = true
    this.#alarm.stop()
  }

  async #pass(): Promise<void> {
    const pass = this.#begin()

    if (!this.#init.isReplica()) {
      await this.#leave(pass.after)
      return
    }

    for (const member of await findReturned(pass, this.#init)) {
      pass.before.add(member)
    }

    const failed = new Set<string>()

    for await (const transfers of this.#pendingTransfers(pass)) {
      await this.#transfers.sendAll(transfers, failed)
    }

    const { owed } = this.#transfers

    if (owed.size > 0) {
      this.#alarm.within(RETRY_MS)
    }

    pass.after.settle(pass.before, performance.now(), (name) => owed.has(name))
    this.#lastStartMs = pass.startMs
    this.#settled = pass.after
  }

  /** Hands over all records of a node that has become a client. */
  async #leave(servers: MembershipView): Promise<void> {
    const { self, store } = this.#init

    if (store.records === 0) {
      return
    }

    const isDone = await handOverAll({
      store,
      servers: servers.without(new Set([self.id.toString()])),
      send: (to, key, record) => this.#transfers.send(to, key, record),
      cancellation: this
    })
    isDone || this.#alarm.within(RETRY_MS)
  }

  #begin(): Pass {
    const startMs = performance.now()
    const isReplicating = startMs >= this.#replicateAtMs

    if (isReplicating) {
      this.#replicateAtMs = startMs + REPLICATE_INTERVAL_MS
    }

    const after = this.#members()
    this.#present = after
    this.#settled.forgetReturned(after)
    const lastStartMs = this.#lastStartMs
    return { before: this.#settled, after, isReplicating, startMs, lastStartMs }
  }

  #members(): MembershipView {
    const { self, members } = this.#init
    return new MembershipView([alwaysThere(self), ...members()])
  }

  /** Lists the transfers of a pass, slice by slice. */
  async *#pendingTransfers(pass: Pass): AsyncGenerator<Transfer[]> {
    const owed = this.#transfers.takeOwed()
    let transfers: Transfer[] = []
    let looked = 0

    for (const name of this.#init.store.names()) {
      const receivers = receiversOf(name, pass, { owed, node: this.#init })
      transfers.push(...this.#transfersOf(name, receivers, pass.after))

      if (++looked % SLICE === 0) {
        yield transfers
        transfers = []
        await nextTask()
      }
    }

    yield transfers
  }

  #transfersOf(name: string, receivers: readonly string[], view: MembershipView): Transfer[] {
    if (receivers.length === 0) {
      return []
    }

    const key = keyOf(name)
    const sizeBytes = encodedSize(this.#init.store.get(key))
    return receivers.flatMap((receiver) => {
      const member = view.get(receiver)
      return member === undefined ? [] : [{ key, to: member.contact, sizeBytes }]
    })
  }
}

function alwaysThere(contact: Member['contact']): Member {
  return { contact, sinceMs: Number.NEGATIVE_INFINITY }
}
