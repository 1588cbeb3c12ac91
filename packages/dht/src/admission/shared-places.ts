/** A resource that occupies a place until it ends. */
export interface PlaceTaker {
  abort(error: Error): void
  addEventListener(type: 'close', listener: () => void): void
  removeEventListener(type: 'close', listener: () => void): void
}

export interface SharedPlacesInit<T> {
  readonly maxSize: number

  /** Reason given to a taker that loses its place. */
  readonly reason: string

  /** Called when a taker has left its place. */
  readonly onLeave?: (taker: T) => void
}

/** A taker's owner, and its listener. */
interface Place {
  readonly owner: string
  readonly onClose: () => void
}

/**
 * A limited number of places. When none is left, the owner with most of them loses its oldest, so one owner cannot
 * lock out others.
 */
export class SharedPlaces<T extends PlaceTaker> {
  readonly #init: SharedPlacesInit<T>

  /** Each owner's takers, oldest first. */
  readonly #taken = new Map<string, Set<T>>()
  readonly #places = new Map<T, Place>()

  constructor(init: SharedPlacesInit<T>) {
    this.#init = init
  }

  get size(): number {
    return this.#places.size
  }

  /** Lists what has an owner's places, the oldest first. */
  ofOwner(owner: string): T[] {
    return [...(this.#taken.get(owner) ?? [])]
  }

  /** Occupies a place for a taker until it ends or is deleted. */
  add(taker: T, owner: string): void {
    const own = this.#taken.get(owner) ?? new Set()
    const onClose = (): void => this.delete(taker)
    this.#taken.set(owner, own.add(taker))
    this.#places.set(taker, { owner, onClose })
    taker.addEventListener('close', onClose)

    if (this.size > this.#init.maxSize) {
      this.#evict()
    }
  }

  delete(taker: T): void {
    const place = this.#places.get(taker)

    if (place === undefined) {
      return
    }

    const { owner, onClose } = place
    const own = this.#taken.get(owner)
    own?.delete(taker)
    this.#places.delete(taker)
    taker.removeEventListener('close', onClose)

    if (own?.size === 0) {
      this.#taken.delete(owner)
    }

    this.#init.onLeave?.(taker)
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
