import { AbortError, type PeerId, type PeerInfo, type TypedEventTarget } from '@libp2p/interface'
import { type DHTRecord, isEmpty } from '@waggle/record'
import { encodedSize } from '@waggle/record/replica'
import type { DHTEvents } from '../events.ts'
import type { StoreOutcome } from '../lookup/record-channel.ts'
import { pointOfKey } from '../peers/key-space.ts'
import type { Member } from '../peers/known-peers.ts'
import { keyOf, nameOf } from '../store/record-store.ts'
import { Alarm } from '../timing/alarm.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { nextTask } from '../timing/end-of-turn.ts'
import { mapMany } from '../timing/many.ts'
import { AntiEntropy, MAX_RECORD_BYTES_IN_FLIGHT } from './anti-entropy.ts'
import { newOwners, replicationTargets } from './hand-over.ts'
import { handOverAll, MAX_IN_FLIGHT } from './hand-over-all.ts'
import {
  COMPARE_MS,
  FRESH_MS,
  PASS_DELAY_MS,
  PASS_INTERVAL_MS,
  REPLICATE_INTERVAL_MS,
  RETRY_MS,
  SAMPLES,
  SLACK_MS
} from './intervals.ts'
import { MembershipView } from './membership-view.ts'
import { OwedTransfers } from './owed-transfers.ts'
import { NEWCOMER_MS, Pace } from './pace.ts'
import { Samples } from './samples.ts'
import type { UpkeepInit } from './upkeep-init.ts'

/** Records processed before other work runs. */
const SLICE = 256

/** A record to be handed over to one peer. */
interface PendingTransfer {
  readonly key: Uint8Array
  readonly to: PeerInfo
  readonly sizeBytes: number
}

/** One pass over the records. */
interface Pass {
  readonly before: MembershipView
  readonly after: MembershipView
  readonly isReplicating: boolean
  readonly startMs: number
}

/**
 * Keeps records at the nearest peers as peers come and go (N7). A pass over all records runs a moment after the
 * first change, and covers all changes until then.
 */
export class Upkeep implements CancellationToken {
  readonly #init: UpkeepInit
  readonly #antiEntropy: AntiEntropy
  #compareAtMs = Number.POSITIVE_INFINITY
  readonly #pace = new Pace()
  /** The servers at the last pass, this node included. */
  #settled: MembershipView
  /** The servers when the last pass or comparison began. */
  #present: MembershipView
  #replicateAtMs = performance.now() + REPLICATE_INTERVAL_MS
  /** Start of the last pass. */
  #passedMs = Number.NEGATIVE_INFINITY
  #running: Promise<void> | undefined
  readonly #alarm = new Alarm(() => {
    this.#runDue().catch((error) => this.#init.log('upkeep failed - %e', error))
  })

  /** Transfers that have failed, or were skipped because another one to the same peer had failed. */
  #owed = new OwedTransfers()

  isCancelled = false

  constructor(init: UpkeepInit) {
    this.#init = init
    this.#settled = new MembershipView([alwaysThere(init.self)])
    this.#present = this.#settled
    this.#antiEntropy = new AntiEntropy({
      ...init,
      send: (to, key, record) => this.#send(to, key, record)
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

    await this.#recognizeReturned(pass)
    const failed = new Set<string>()

    for await (const transfers of this.#pendingTransfers(pass)) {
      await mapMany(transfers, (transfer) => this.#transfer(transfer, failed), {
        cancellation: this,
        maxItems: MAX_IN_FLIGHT,
        maxBytes: MAX_RECORD_BYTES_IN_FLIGHT,
        bytesOf: ({ sizeBytes }) => sizeBytes
      })
    }

    if (this.#owed.size > 0) {
      this.#alarm.within(RETRY_MS)
    }

    pass.after.settle(pass.before, performance.now(), (name) => this.#owed.has(name))
    this.#passedMs = pass.startMs
    this.#settled = pass.after
  }

  /** Hands over what this node has held until it became a client. */
  async #leave(servers: MembershipView): Promise<void> {
    const { self, store } = this.#init

    if (store.records === 0) {
      return
    }

    const isDone = await handOverAll({
      store,
      servers: servers.without(new Set([self.id.toString()])),
      send: (to, key, record) => this.#send(to, key, record),
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
    return { before: this.#settled, after, isReplicating, startMs }
  }

  #members(): MembershipView {
    const { self, members } = this.#init
    return new MembershipView([alwaysThere(self), ...members()])
  }

  /** Recognizes peers that have only been disconnected, or all peers if this node was. */
  async #recognizeReturned({ before, after }: Pass): Promise<void> {
    const samples = this.#samples({ before, after })

    await Promise.all(
      [...samples].map(async ([name, keys]) => {
        const member = after.get(name)

        if (member !== undefined && keys.length === SAMPLES && (await this.#hasAll(member, keys))) {
          before.add(member)
        }
      })
    )
  }

  /**
   * Picks for each newcomer some records that it has if it was a replica before. They are random, because a
   * newcomer that received only a part has the first of them.
   */
  #samples({ before, after }: Pick<Pass, 'before' | 'after'>): Map<string, Uint8Array[]> {
    const { numReplicas, store } = this.#init
    const samples = new Map<string, Samples>()
    const newcomers = new Set(after.missingIn(before))

    for (const name of newcomers.size === 0 ? [] : store.names()) {
      const key = keyOf(name)

      for (const owner of after.nearest(pointOfKey(key), numReplicas)) {
        if (newcomers.has(owner)) {
          const picked = samples.get(owner) ?? new Samples(SAMPLES)
          samples.set(owner, picked.offer(key))
        }
      }
    }

    return new Map([...samples].map(([name, { keys }]) => [name, keys]))
  }

  async #hasAll({ contact }: Member, keys: readonly Uint8Array[]): Promise<boolean> {
    try {
      const held = await Promise.all(keys.map((key) => this.#init.holds(contact, key)))
      return held.every(Boolean)
    } catch {
      return false
    }
  }

  /** Lists the transfers of a pass, slice by slice. */
  async *#pendingTransfers(pass: Pass): AsyncGenerator<PendingTransfer[]> {
    let transfers: PendingTransfer[] = []
    let looked = 0
    const owed = this.#owed
    this.#owed = new OwedTransfers()

    for (const name of this.#init.store.names()) {
      transfers.push(...this.#transfersOf(name, pass, owed))

      if (++looked % SLICE === 0) {
        yield transfers
        transfers = []
        await nextTask()
      }
    }

    yield transfers
  }

  #transfersOf(name: string, pass: Pass, owed: OwedTransfers): PendingTransfer[] {
    const key = keyOf(name)
    const point = pointOfKey(key)
    const creditors = owed.to(name)
    const newOwners = this.#newOwners(name, point, pass)
    const nearest = creditors.length === 0 ? [] : pass.after.nearest(point, this.#init.numReplicas)
    const owners = new Set([...newOwners, ...creditors.filter((peer) => nearest.includes(peer))])

    if (owners.size === 0) {
      return []
    }

    const sizeBytes = encodedSize(this.#init.store.get(key))
    return [...owners].flatMap((owner) => {
      const member = pass.after.get(owner)
      return member === undefined ? [] : [{ key, to: member.contact, sizeBytes }]
    })
  }

  #newOwners(
    name: string,
    point: Uint8Array,
    { before, after, isReplicating, startMs }: Pass
  ): string[] {
    const { numReplicas, self, store } = this.#init
    const own = self.id.toString()
    const owners = after.nearest(point, numReplicas)

    if (isReplicating) {
      return replicationTargets(own, owners)
    }

    const changedMs = store.changedMs(name)
    const isMisplaced =
      !owners.includes(own) && owners.every((peer) => after.sinceMs(peer) <= changedMs)

    if (isMisplaced && changedMs > this.#passedMs) {
      // The writer could not reach the nearest peers.
      return owners
    }

    // A peer that was present when this node got the record is not a newcomer: the writer reached both.
    const sinceMs = store.heldSinceMs(name)
    const known = owners.filter((owner) => before.has(owner) || after.sinceMs(owner) <= sinceMs)
    const others = before.nearest(point, numReplicas).filter((peer) => !known.includes(peer))

    return newOwners({
      self: own,
      before: [...known, ...others],
      after: owners,
      isThere: (peer) => after.has(peer),
      isFresh: (peer) => after.sinceMs(peer) > startMs - FRESH_MS,
      wasReady: (peer, newcomer) => {
        const readyMs = before.has(peer) ? before.readyMs(peer) : after.sinceMs(peer)
        return readyMs + SLACK_MS < after.sinceMs(newcomer)
      }
    })
  }

  async #transfer({ key, to }: PendingTransfer, failed: Set<string>): Promise<void> {
    const record = this.#init.store.get(key)
    const name = to.id.toString()

    if (isEmpty(record)) {
      return
    }

    if (failed.has(name)) {
      this.#owed.add(name, nameOf(key))
      return
    }

    try {
      await this.#send(to, key, record)
    } catch {
      failed.add(name)
      this.#owed.add(name, nameOf(key))
    }
  }

  /** Sends a record, and delays it for a newcomer. Rejects when sending fails. */
  async #send(to: PeerInfo, key: Uint8Array, record: DHTRecord): Promise<StoreOutcome> {
    if (performance.now() - this.#present.sinceMs(to.id.toString()) < NEWCOMER_MS) {
      await this.#pace.wait(encodedSize(record))
    }

    if (this.isCancelled) {
      throw new AbortError('the node was stopped')
    }

    return this.#init.send(to, key, record)
  }
}

function alwaysThere(contact: PeerInfo): Member {
  return { contact, sinceMs: Number.NEGATIVE_INFINITY }
}
