import type { PeerInfo } from '@libp2p/interface'
import { Tally } from '../collections/tally.ts'

/** Nearest peers that a node knows, in any bucket. */
export const NEIGHBOURHOOD = 32

/** Peers of one host in a neighbourhood that peers of other hosts can fill. */
export const MAX_NEAR_PER_HOST: number = NEIGHBOURHOOD / 2

/** A server of the network that has responded to this node. */
export interface TableEntry {
  readonly peer: PeerInfo

  /** Time at which it was added, in ms of the process's clock. */
  readonly sinceMs: number

  /** Time of its last response, in ms of the process's clock. */
  readonly answeredAtMs: number
}

/** An entry as the table changes it. */
export interface Entry extends TableEntry {
  peer: PeerInfo
  answeredAtMs: number

  /** Distance from this node. */
  readonly distance: number
  readonly bucket: number

  /** The host of the address at which it responded. */
  host: string
  failures: number
}

/**
 * Selects a neighbourhood from entries in ascending distance. At most half of it is of one host while other hosts
 * have entries.
 */
export function neighbourhoodOf(sorted: readonly Entry[]): Entry[] {
  const perHost = new Tally<string>()
  const near: Entry[] = []
  const surplus: Entry[] = []

  for (const entry of sorted) {
    perHost.add(entry.host)

    if (perHost.get(entry.host) <= MAX_NEAR_PER_HOST) {
      near.push(entry)
    } else if (surplus.length < NEIGHBOURHOOD - MAX_NEAR_PER_HOST) {
      surplus.push(entry)
    }

    if (near.length === NEIGHBOURHOOD) {
      return near
    }
  }

  return [...near, ...surplus.slice(0, NEIGHBOURHOOD - near.length)].sort(byDistance)
}

/** Whether an entry has been responsive since before a time. */
export function wasEstablished({ sinceMs, failures }: Entry, untilMs: number): boolean {
  return failures === 0 && sinceMs <= untilMs
}

/** Compares entries by their distance from this node. */
export function byDistance(a: Entry, b: Entry): number {
  return a.distance - b.distance
}

/**
 * The entry of a full bucket that makes room for a newcomer: one that has failed, else the newest of a host that
 * has two entries more than the newcomer's would have; undefined if all stay.
 */
export function entryToEvict(rivals: readonly Entry[], newcomer: Entry): Entry | undefined {
  const failing = rivals.find(({ failures }) => failures > 0)

  if (failing !== undefined) {
    return failing
  }

  const byHost = Map.groupBy(rivals, ({ host }) => host)
  const [most = []] = [...byHost.values()].sort((a, b) => b.length - a.length)
  const own = byHost.get(newcomer.host)?.length ?? 0
  return most.length >= own + 2 ? newest(most) : undefined
}

/** Returns the entry that was added last. */
export function newest(entries: readonly Entry[]): Entry | undefined {
  return entries.reduce<Entry | undefined>(
    (last, entry) => (last === undefined || entry.sinceMs >= last.sinceMs ? entry : last),
    undefined
  )
}
