import type { Logger, PeerInfo, TypedEventTarget } from '@libp2p/interface'
import { type DHTRecord, isEmpty } from '@waggle/record'
import { encodedSize } from '@waggle/record/replica'
import type { DHTEvents } from '../events.ts'
import { pointOfKey } from '../peers/key-space.ts'
import type { Member } from '../peers/known-peers.ts'
import { keyOf, type RecordStore } from '../store/record-store.ts'
import { Alarm } from '../timing/alarm.ts'
import type { CancellationToken } from '../timing/cancellation.ts'
import { inTime } from '../timing/in-time.ts'
import { mapMany } from '../timing/many.ts'
import { AntiEntropy, MAX_BYTES_UNDER_WAY } from './anti-entropy.ts'
import { newOwners, replicationTargets } from './hand-over.ts'
import { MembershipView } from './membership-view.ts'

export interface UpkeepInit {
  readonly self: PeerInfo
  readonly store: RecordStore
  readonly numReplicas: number

  /** Whether this node holds records for others: a client does not. */
  readonly isReplica: () => boolean

  /** The servers that are there now, as far as this node knows. */
  readonly members: () => Iterable<Member>

  /** Brings a record to a peer; rejects when it could not. */
  readonly send: (to: PeerInfo, key: Uint8Array, record: DHTRecord) => Promise<unknown>

  /** Whether a peer holds anything under a key; rejects when it does not answer. */
  readonly holds: (peer: PeerInfo, key: Uint8Array) => Promise<boolean>

  /** What a peer holds under each of the keys, as `fingerprintOf` has it; rejects when it does not answer. */
  readonly fingerprints: (peer: PeerInfo, keys: readonly Uint8Array[]) => Promise<Uint8Array[]>

  /** Gets to know the peers that are near to this node. */
  readonly lookAround: () => Promise<unknown>
  readonly log: Logger
}

/** How long after a peer has come or gone more of them are waited for, at least; at most twice as long. */
export const SETTLE_MS = 500

/** How long until those are tried again that could not be given what they should hold. */
export const RETRY_MS = 5000

/** How long after a peer has come or gone it is made sure that all hold what they should; at most twice as long. */
export const AUDIT_MS = 10_000

/** How often records are looked at though nobody has come or gone: writers may have misplaced some. */
export const LOOK_INTERVAL_MS = 60_000

/** How often records are brought to their holders, changed or not (Kademlia, §2.5). */
export const REPLICATE_INTERVAL_MS = 3_600_000

/** For how long a peer may have been there and still lack what those that are gone were to give it. */
const FRESH_MS = 30_000

/** Peers hear of a newcomer so much earlier or later than others do, or less. */
const SLACK_MS = 1000

/** A peer that comes is asked for so many of the records that it should hold: it may only have been away. */
const SAMPLES = 8

/** How long one peer may take to answer: much may be on its way to it. */
const SEND_TIMEOUT_MS = 10_000

/** Records looked at before other work gets its turn. */
const SLICE = 256

/** Records under way at once. */
const MAX_UNDER_WAY = 256

interface Debt {
  readonly key: Uint8Array
  readonly to: PeerInfo
  readonly sizeBytes: number
}

/** What one pass compares. */
interface Pass {
  readonly before: MembershipView
  readonly after: MembershipView
  readonly isReplicating: boolean
  readonly startMs: number
}

/**
 * Keeps records at the nearest peers as peers come and go (N7). Changes are looked into together,
 * a moment after the first: one pass over all records serves for all of them.
 */
export class Upkeep implements CancellationToken {
  readonly #init: UpkeepInit
  readonly #audit: AntiEntropy
  #auditAtMs = Number.POSITIVE_INFINITY
  /** Who was there when records were last looked at, this node among them. */
  #settled: MembershipView
  #replicateAtMs = performance.now() + REPLICATE_INTERVAL_MS
  /** When a pass over the records began last. */
  #lookedMs = Number.NEGATIVE_INFINITY
  #running: Promise<void> | undefined
  readonly #alarm = new Alarm(() => {
    this.#runDue().catch((error) => this.#init.log('upkeep failed - %e', error))
  })

  isCancelled = false

  constructor(init: UpkeepInit) {
    this.#init = init
    this.#settled = new MembershipView([alwaysThere(init.self)])
    this.#audit = new AntiEntropy({
      ...init,
      fingerprints: (peer, keys) => inTime(init.fingerprints(peer, keys), SEND_TIMEOUT_MS),
      send: (to, key, record) => inTime(init.send(to, key, record), SEND_TIMEOUT_MS)
    })
  }

  /** Looks into it whenever a peer has come or gone, until the signal is aborted. */
  follow(events: TypedEventTarget<DHTEvents>, signal: AbortSignal): void {
    const onChange = (): void => {
      this.#alarm.within(SETTLE_MS * (1 + Math.random()))
      this.#auditWithin(AUDIT_MS * (1 + Math.random()))
    }
    events.addEventListener('peer:join', onChange, { signal })
    events.addEventListener('peer:leave', onChange, { signal })
    signal.addEventListener('abort', () => this.#stop())
  }

  /** Resolves when all records are where they should be, as far as this node knows. */
  run(): Promise<void> {
    return this.#alone(() => this.#pass())
  }

  /** The same, having looked around first, and made sure of it in the end. */
  audit(): Promise<void> {
    this.#auditAtMs = Number.POSITIVE_INFINITY
    return this.#alone(async () => {
      await this.#init.lookAround()
      await this.#pass()

      if (this.#init.isReplica() && !(await this.#audit.run(this.#present()))) {
        this.#auditWithin(AUDIT_MS)
      }
    })
  }

  #runDue(): Promise<void> {
    return performance.now() < this.#auditAtMs ? this.run() : this.audit()
  }

  #auditWithin(ms: number): void {
    this.#auditAtMs = Math.min(this.#auditAtMs, performance.now() + ms)
    this.#alarm.within(this.#auditAtMs - performance.now())
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
      this.#alarm.within(Math.min(LOOK_INTERVAL_MS, this.#auditAtMs - performance.now()))
    }
  }

  #stop(): void {
    this.isCancelled = true
    this.#alarm.stop()
  }

  async #pass(): Promise<void> {
    const pass = this.#begin()

    if (!this.#init.isReplica()) {
      return
    }

    await this.#recognise(pass)
    const failed = new Set<string>()

    for await (const debts of this.#debts(pass)) {
      await mapMany(debts, (debt) => this.#pay(debt, failed), {
        cancellation: this,
        maxItems: MAX_UNDER_WAY,
        maxBytes: MAX_BYTES_UNDER_WAY,
        bytesOf: ({ sizeBytes }) => sizeBytes
      })
    }

    for (const name of failed) {
      // Who could not be given everything counts as new next time.
      pass.after.delete(name)
      this.#alarm.within(RETRY_MS)
    }

    pass.after.settle(pass.before, performance.now())
    this.#lookedMs = pass.startMs
    this.#settled = pass.after
  }

  #begin(): Pass {
    const startMs = performance.now()
    const isReplicating = startMs >= this.#replicateAtMs

    if (isReplicating) {
      this.#replicateAtMs = startMs + REPLICATE_INTERVAL_MS
    }

    const after = this.#present()
    this.#settled.forgetReturned(after)
    return { before: this.#settled, after, isReplicating, startMs }
  }

  #present(): MembershipView {
    const { self, members } = this.#init
    return new MembershipView([alwaysThere(self), ...members()])
  }

  /** Finds out who has not come as a stranger: peers that lost a connection, or all, if this node did. */
  async #recognise({ before, after }: Pass): Promise<void> {
    const samples = this.#samples({ before, after })

    await Promise.all(
      [...samples].map(async ([name, keys]) => {
        const present = after.get(name)

        if (
          present !== undefined &&
          keys.length === SAMPLES &&
          (await this.#hasAll(present, keys))
        ) {
          before.add(present)
        }
      })
    )
  }

  /** For each peer that has come, some of the records that it should hold if it was there before. */
  #samples({ before, after }: Pick<Pass, 'before' | 'after'>): Map<string, Uint8Array[]> {
    const { numReplicas, store } = this.#init
    const samples = new Map<string, Uint8Array[]>()
    let wanted = after.missingIn(before).length * SAMPLES

    for (const name of wanted === 0 ? [] : store.names()) {
      const key = keyOf(name)

      for (const owner of after.nearest(pointOfKey(key), numReplicas)) {
        const keys = samples.get(owner) ?? []

        if (!before.has(owner) && keys.length < SAMPLES) {
          samples.set(owner, [...keys, key])
          wanted--
        }
      }

      if (wanted === 0) {
        break
      }
    }

    return samples
  }

  async #hasAll({ contact }: Member, keys: readonly Uint8Array[]): Promise<boolean> {
    try {
      const asking = Promise.all(keys.map((key) => this.#init.holds(contact, key)))
      const held = await inTime(asking, SEND_TIMEOUT_MS)
      return held.every(Boolean)
    } catch {
      return false
    }
  }

  /** What has to be handed over, slice by slice. */
  async *#debts(pass: Pass): AsyncGenerator<Debt[]> {
    let debts: Debt[] = []
    let looked = 0

    for (const name of this.#init.store.names()) {
      debts.push(...this.#debtsOf(name, pass))

      if (++looked % SLICE === 0) {
        yield debts
        debts = []
        await new Promise((resolve) => setTimeout(resolve))
      }
    }

    yield debts
  }

  #debtsOf(name: string, pass: Pass): Debt[] {
    const key = keyOf(name)
    const owed = this.#owed(name, pointOfKey(key), pass)

    if (owed.length === 0) {
      return []
    }

    const sizeBytes = encodedSize(this.#init.store.get(key))
    return owed.flatMap((owner) => {
      const present = pass.after.get(owner)
      return present === undefined ? [] : [{ key, to: present.contact, sizeBytes }]
    })
  }

  #owed(
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

    if (isMisplaced && changedMs > this.#lookedMs) {
      // A writer could not reach those that are nearer.
      return owners
    }

    // Who was there when this node got the record is no newcomer to it: others sent it to both.
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

  async #pay({ key, to }: Debt, failed: Set<string>): Promise<void> {
    const record = this.#init.store.get(key)
    const name = to.id.toString()

    if (isEmpty(record) || failed.has(name)) {
      return
    }

    try {
      await inTime(this.#init.send(to, key, record), SEND_TIMEOUT_MS)
    } catch {
      failed.add(name)
    }
  }
}

function alwaysThere(contact: PeerInfo): Member {
  return { contact, sinceMs: Number.NEGATIVE_INFINITY }
}
