/** A fair choice of some of many keys, which are offered one by one (reservoir sampling). */
export class Samples {
  readonly keys: Uint8Array[] = []
  readonly #count: number
  #offered = 0

  constructor(count: number) {
    this.#count = count
  }

  offer(key: Uint8Array): this {
    const place = this.#offered < this.#count ? this.#offered : randomBelow(this.#offered + 1)
    this.#offered++

    if (place < this.#count) {
      this.keys[place] = key
    }

    return this
  }
}

function randomBelow(count: number): number {
  return Math.floor(Math.random() * count)
}
