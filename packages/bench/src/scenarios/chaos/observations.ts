import type { Ledger } from '../churn/ledger.ts'

/** A reader's knowledge of a place when a read begins. */
export interface Glance {
  readonly place: string

  /** Expiration of the latest write that the reader knows. */
  readonly floor: number
}

/**
 * Remembers the results of one reader. Its reads must not go back: each one that begins after another has ended
 * finds the same write or a later one.
 */
export class Observations {
  readonly #ledger: Ledger
  readonly #seen = new Map<string, number>()

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  glance(place: string): Glance {
    return { place, floor: this.#seen.get(place) ?? 0 }
  }

  /**
   * Notes an answer, by the expiration of the value that it has. Returns whether it is no older than what the
   * reader knew when it asked: nothing is as old as the first deletion that can explain it.
   */
  note({ place, floor }: Glance, expirationTime: number | undefined): boolean {
    const seen = expirationTime ?? this.#ledger.deletedBy(place, floor)

    if (seen === undefined) {
      return floor === 0
    }

    this.#seen.set(place, Math.max(seen, this.#seen.get(place) ?? 0))
    return seen >= floor
  }
}
