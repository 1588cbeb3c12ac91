import type { Point } from '../peers/key-space.ts'
import type { Member } from '../peers/known-peers.ts'
import { PeerIndex } from '../peers/peer-index.ts'

/** A member when records were looked at. */
interface SettledMember extends Member {
  /** When it had been given what it should hold. */
  readonly readyMs: number
}

/** The peers that were there at one moment, and since when. */
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

  /** Never, for those that are not there. */
  sinceMs(name: string): number {
    return this.#peers.get(name)?.sinceMs ?? Number.POSITIVE_INFINITY
  }

  /** When it had been given what it should hold; never, for those that are not there. */
  readyMs(name: string): number {
    return this.#peers.get(name)?.readyMs ?? Number.POSITIVE_INFINITY
  }

  /** The names of those nearest to a point, nearest first. */
  nearest(target: Point, count: number): string[] {
    return this.#index.nearest(target, count).map(({ id }) => id.toString())
  }

  /** Those of whom the other knows nothing. */
  missingIn(other: MembershipView): string[] {
    return [...this.#peers.keys()].filter((name) => !other.has(name))
  }

  /** Forgets those that have left since and come back. */
  forgetReturned(later: MembershipView): void {
    for (const [name, { sinceMs }] of this.#peers) {
      if (later.has(name) && later.sinceMs(name) !== sinceMs) {
        this.delete(name)
      }
    }
  }

  /** The same but for some. */
  without(names: ReadonlySet<string>): MembershipView {
    return new MembershipView(
      [...this.#peers].flatMap(([name, one]) => (names.has(name) ? [] : [one]))
    )
  }

  /** Sets since when they are ready: those that were before since then, others since now. */
  settle(before: MembershipView, nowMs: number): void {
    for (const [name, member] of this.#peers) {
      this.add(member, before.has(name) ? before.readyMs(name) : nowMs)
    }
  }
}
