import type { Point } from '../peers/key-space.ts'
import type { Member } from '../peers/known-peers.ts'
import { PeerIndex } from '../peers/peer-index.ts'

/** A member at the last pass over the records. */
interface SettledMember extends Member {
  /** Time at which it had received all records that it should store. */
  readonly readyMs: number
}

/** The servers that were present at one moment, with the times since which they were. */
export class MembershipView {
  readonly #peers = new Map<string, SettledMember>()
  readonly #index = new PeerIndex()

  constructor(members: Iterable<Member>) {
    for (const member of members) {
      this.add(member)
    }
  }

  add(member: Member, readyMs: number = member.sinceMs): void {
    this.#peers.set(member.contact.id.toString(), { ...member, readyMs })
    this.#index.set(member.contact)
  }

  delete(name: string): void {
    const member = this.#peers.get(name)

    if (member !== undefined) {
      this.#peers.delete(name)
      this.#index.delete(member.contact)
    }
  }

  has(name: string): boolean {
    return this.#peers.has(name)
  }

  get(name: string): Member | undefined {
    return this.#peers.get(name)
  }

  /** Returns infinity for a peer that is not present. */
  sinceMs(name: string): number {
    return this.#peers.get(name)?.sinceMs ?? Number.POSITIVE_INFINITY
  }

  /**
   * Returns the time at which it had received all records that it should store; infinity for a peer that is not
   * present.
   */
  readyMs(name: string): number {
    return this.#peers.get(name)?.readyMs ?? Number.POSITIVE_INFINITY
  }

  /** Lists the names of the peers nearest to a point, nearest first. */
  nearest(target: Point, count: number): string[] {
    return this.#index.nearest(target, count).map(({ id }) => id.toString())
  }

  /** Lists the peers that the other view lacks. */
  missingIn(other: MembershipView): string[] {
    return [...this.#peers.keys()].filter((name) => !other.has(name))
  }

  /** Forgets peers that have left and returned since. */
  forgetReturned(later: MembershipView): void {
    for (const [name, { sinceMs }] of this.#peers) {
      if (later.has(name) && later.sinceMs(name) !== sinceMs) {
        this.delete(name)
      }
    }
  }

  /** Copies the view without some peers. */
  without(names: ReadonlySet<string>): MembershipView {
    return new MembershipView(
      [...this.#peers].flatMap(([name, one]) => (names.has(name) ? [] : [one]))
    )
  }

  /** Marks all peers as ready that lack no records: those of an earlier view since then, others since now. */
  settle(before: MembershipView, nowMs: number, isLacking: (name: string) => boolean): void {
    for (const [name, member] of this.#peers) {
      const readyMs = Math.min(before.readyMs(name), nowMs)
      this.add(member, isLacking(name) ? Number.POSITIVE_INFINITY : readyMs)
    }
  }
}
