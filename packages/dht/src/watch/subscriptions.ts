import type { WatchState } from './watch-messages.ts'

/** How a key stands at a peer. */
interface Standing {
  /** Whether it was asked last to be watched. */
  isWanted: boolean

  /** How many answers are due to the wish that it be watched no more. */
  endings: number
}

/**
 * Which keys one peer may tell of: those that it was asked to watch, until it has answered that it does
 * so no more. What was on its way then is no offence, and of no use.
 */
export class Subscriptions {
  readonly #standings = new Map<string, Standing>()

  /** How many keys the peer may tell of. */
  get size(): number {
    return this.#standings.size
  }

  /** The peer is asked to watch a key, or to do so no more. */
  asked(name: string, isWanted: boolean): void {
    const endings = this.#standings.get(name)?.endings ?? 0
    this.#standings.set(name, { isWanted, endings: endings + Number(!isWanted) })
  }

  /** The peer has answered about a key. */
  answered(name: string, state: WatchState): void {
    const { isWanted, endings } = this.#standings.get(name) ?? { isWanted: true, endings: 0 }
    const left = Math.max(0, endings - Number(state === 'ended'))

    if (left === 0 && (!isWanted || state !== 'watched')) {
      this.#standings.delete(name)
    } else {
      this.#standings.set(name, { isWanted, endings: left })
    }
  }

  /** What it means that the peer tells of a key. */
  told(name: string): 'wanted' | 'late' | 'never asked for' {
    const standing = this.#standings.get(name)

    if (standing === undefined) {
      return 'never asked for'
    }

    return standing.isWanted ? 'wanted' : 'late'
  }
}
