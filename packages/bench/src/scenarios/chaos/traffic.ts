import { setTimeout as passed } from 'node:timers/promises'
import type { Key } from '@waggle/dht'
import type { Seen } from '../../nodes/nodes-main.ts'
import { any, type Random } from '../../workload/random.ts'
import type { Ledger, Verdict } from '../churn/ledger.ts'
import type { ChaosNetwork, ChaosProcess, Member } from './network.ts'

export interface TrafficInit {
  readonly network: ChaosNetwork
  readonly ledger: Ledger
  readonly random: Random
  readonly log: (line: string) => void
}

export type CallKind = 'store' | 'delete' | 'get' | 'latest get'

/** Outcomes of the calls of one kind. */
export interface Tally {
  readonly tookMs: number[]

  /** Failures of a node that was neither killed nor stopped meanwhile. */
  failed: number

  /** Failures of a node that was killed or stopped meanwhile. */
  disturbed: number

  /** Calls without a reachable peer while nodes were cut off. */
  unreachable: number
  readonly verdicts: Record<Verdict, number>
}

/** Interval of places that are subkeys, which share dictionaries. */
const SUBKEY_EVERY = 3
const DICTIONARIES = 2
const KINDS: readonly CallKind[] = [
  ...Array<CallKind>(6).fill('store'),
  ...(['delete', 'get', 'get', 'get'] as const),
  ...Array<CallKind>(10).fill('latest get')
]

/** Reads and writes of random nodes, checked against the writes and each reader's earlier results. */
export class Traffic {
  readonly #init: TrafficInit
  readonly #places: readonly string[]

  /** Reads with a result older than the reader had seen or written. */
  readonly setbacks: string[] = []

  /**
   * Latest reads with a result older than an acknowledged write, although no nodes had been cut off for a while.
   */
  readonly stale: string[] = []
  readonly failures: string[] = []
  readonly tallies: Readonly<Record<CallKind, Tally>> = {
    store: newTally(),
    delete: newTally(),
    get: newTally(),
    'latest get': newTally()
  }

  constructor(init: TrafficInit) {
    this.#init = init
    this.#places = init.ledger.lasting
  }

  /** Makes calls at the rate per second until told to end; resolves when all have ended. */
  async run(rate: number, ended: AbortSignal): Promise<void> {
    const { network, random } = this.#init
    const running = new Set<Promise<void>>()

    while (!ended.aborted) {
      const up = network.members.filter(({ process, isStopped }) => process && !isStopped)
      const call = this.#call(any(KINDS, random), any(up, random), any(this.#places, random))
      running.add(call)
      void call.finally(() => running.delete(call))
      await passed((1000 / rate) * 2 * random())
    }

    await Promise.all(running)
  }

  /** Reads everything from every node; resolves with the wrong results. */
  async wrong(): Promise<string[]> {
    const reads = this.#init.network.members.flatMap((member) =>
      keysOf(this.#places).map((key) => this.#check(member, key))
    )
    return (await Promise.all(reads)).flat()
  }

  #call(kind: CallKind, member: Member, place: string): Promise<void> {
    return kind === 'store' || kind === 'delete'
      ? this.#write(kind, member, place)
      : this.#read(kind, member, keyOf(place))
  }

  async #write(kind: 'store' | 'delete', member: Member, place: string): Promise<void> {
    const { ledger } = this.#init
    const write = ledger.begin(place, { isDeletion: kind === 'delete' })

    if (write !== undefined) {
      const { value, expirationTime } = write
      const { observations } = member
      const address = { key: keyOf(place), ...subkeyOf(place), expirationTime }
      const isStored = await this.#time(kind, member, (process) =>
        value === undefined
          ? process.call('delete', address)
          : process.call('store', { ...address, value })
      )
      ledger.end(write, isStored === true)

      if (isStored === true) {
        observations.note({ place, floor: 0 }, expirationTime)
      } else if (isStored === false) {
        this.tallies[kind].failed++
        this.#note(this.failures, `${kind} of ${place} at ${member.host}: false`)
      }
    }
  }

  async #read(kind: 'get' | 'latest get', member: Member, key: Key): Promise<void> {
    const { ledger, network } = this.#init
    const { observations } = member
    const wasCalm = network.isCalm
    const before = placesOf(this.#places, key).map((place) => ({
      glance: observations.glance(place),
      acknowledgedUntil: ledger.acknowledgedUntil(place)
    }))
    const found = await this.#time(kind, member, (process) =>
      process.call('get', { key, latest: kind === 'latest get' })
    )

    for (const { glance, acknowledgedUntil } of found ? before : []) {
      const seen = seenAt(glance.place, found)
      const verdict = ledger.judge(glance.place, seen, acknowledgedUntil)
      const what = `${member.host} read ${glance.place} of ${seen?.expirationTime}, not`
      this.tallies[kind].verdicts[verdict]++

      if (kind === 'latest get') {
        const isGood = verdict === 'right' || !wasCalm || !network.isCalm
        isGood || this.#note(this.stale, `${what} ${acknowledgedUntil}`)
        const isForward = observations.note(glance, seen?.expirationTime)
        isForward || this.#note(this.setbacks, `${what} ${glance.floor} as before`)
      }
    }
  }

  #note(list: string[], what: string): void {
    list.push(what)
    this.#init.log(what)
  }

  async #check(member: Member, key: Key): Promise<string[]> {
    const { ledger } = this.#init
    const found = await member.process?.call('get', { key, latest: true }).catch(String)
    return placesOf(this.#places, key).flatMap((place) => {
      const seen = Array.isArray(found) ? seenAt(place, found) : undefined
      const verdict = ledger.judge(place, seen, ledger.acknowledgedUntil(place))
      const what = Array.isArray(found) ? `${verdict}: ${seen?.value}` : found
      return Array.isArray(found) && verdict === 'right'
        ? []
        : [`${member.host}, ${place}: ${what}`]
    })
  }

  /** Times a call; resolves with undefined if it failed. */
  async #time<T>(
    kind: CallKind,
    member: Member,
    call: (process: ChaosProcess) => Promise<T>
  ): Promise<T | undefined> {
    const { network } = this.#init
    const { disturbances, process } = member
    const { cuts, isCut } = network
    const tally = this.tallies[kind]
    const startMs = performance.now()

    try {
      const result = await call(process as ChaosProcess)
      const isDisturbed = member.disturbances > disturbances
      tally.tookMs.push(...(isDisturbed ? [] : [performance.now() - startMs]))
      return result
    } catch (error) {
      const wasCut = isCut || network.cuts > cuts

      if (member.disturbances > disturbances) {
        tally.disturbed++
      } else if (wasCut && String(error).includes('UnreachableError')) {
        tally.unreachable++
      } else {
        tally.failed++
        const tookMs = Math.round(performance.now() - startMs)
        this.#note(this.failures, `${kind} at ${member.host} after ${tookMs} ms: ${error}`)
      }

      return undefined
    }
  }
}

function numberOf(place: string): number {
  return Number(place.split(' ').at(-1))
}

function isSubkey(place: string): boolean {
  return numberOf(place) % SUBKEY_EVERY === 0
}

function keyOf(place: string): string {
  return isSubkey(place) ? `dictionary ${(numberOf(place) / SUBKEY_EVERY) % DICTIONARIES}` : place
}

function subkeyOf(place: string): { subkey?: string } {
  return isSubkey(place) ? { subkey: place } : {}
}

function keysOf(places: readonly string[]): string[] {
  return [...new Set(places.map(keyOf))]
}

function placesOf(places: readonly string[], key: Key): string[] {
  return places.filter((place) => keyOf(place) === key)
}

function seenAt(place: string, found: readonly [Key | null, Seen][] | undefined): Seen | undefined {
  const name = isSubkey(place) ? place : null
  return found?.find(([subkey]) => subkey === name)?.[1]
}

function newTally(): Tally {
  const verdicts = { right: 0, stale: 0, missing: 0, false: 0 }
  return { tookMs: [], failed: 0, disturbed: 0, unreachable: 0, verdicts }
}
