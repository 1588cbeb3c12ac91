/** A resource that occupies a place until it ends. */
export interface PlaceTaker {
  abort(error: Error): void
  addEventListener(type: 'close', listener: () => void): void
}

export interface SharedPlacesInit {
  readonly maxSize: number

  /** Reason given to a taker that loses its place. */
  readonly reason: string
}

/**
 * A limited number of places. When none is left, the owner with most of them loses its oldest, so one owner cannot
 * lock out others.
 */
export class SharedPlaces<T extends PlaceTaker> {
  readonly #init: SharedPlacesInit

  /** Each owner's takers, oldest first. */
  readonly #taken = new Map<string, Set<T>>()
  readonly #owners = new Map<T, string>()

  constructor(init: SharedPlacesInit) {
    this.#init = init
  }

  get size(): number {
    return this.#owners.size
  }

  /** Lists what has an owner's places, the oldest first. */
  ofOwner(owner: string): T[] {
    return [...(this.#taken.get(owner) ?? [])]
  }

  /** Occupies a place for a taker until it ends or is deleted. */
  add(taker: T, owner: string): void {
    const own = this.#taken.get(owner) ?? new Set()
    this.#taken.set(owner, own.add(taker))
    this.#owners.set(taker, owner)
    taker.addEventListener('close', () => this.delete(taker))

    if (this.size > this.#init.maxSize) {
      this.#evict()
    }
  }

  delete(taker: T): void {
    const owner = this.#owners.get(taker)

    if (owner === undefined) {
      return
    }

    const own = this.#taken.get(owner)
    own?.delete(taker)
    this.#owners.delete(taker)

    if (own?.size === 0) {
      this.#taken.delete(owner)
    }
  }

  #evict(): void {
    const [first = new Set<T>(), ...others] = this.#taken.values()
    const most = others.reduce((busiest, one) => (one.size > busiest.size ? one : busiest), first)

    for (const oldest of most) {
      this.delete(oldest)
      oldest.abort(new Error(this.#init.reason))
      return
    }
  }
}
