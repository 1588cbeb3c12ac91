const NOTHING = new Uint8Array(0)
const UINT32_BYTES = 4

/**
 * Received bytes that were not taken yet, in one piece. The rest is copied, so that a few bytes keep no larger
 * piece of memory alive, and many small pieces take no more room than their bytes.
 */
export class ByteQueue {
  #buffer: Uint8Array = NOTHING
  #start = 0
  #end = 0
  #isOwn = false

  get length(): number {
    return this.#end - this.#start
  }

  /** The byte at a position; undefined beyond the end. */
  at(position: number): number | undefined {
    return position < this.length ? this.#buffer[this.#start + position] : undefined
  }

  /** The first four bytes as an integer, big end first; undefined while there are fewer. */
  uint32(): number | undefined {
    const { buffer, byteOffset } = this.#buffer
    return this.length < UINT32_BYTES
      ? undefined
      : new DataView(buffer, byteOffset + this.#start).getUint32(0)
  }

  /** Appends bytes. They are a view of the given ones until {@link ByteQueue.settle} is called. */
  push(bytes: Uint8Array): void {
    if (this.length === 0) {
      this.#buffer = bytes
      this.#start = 0
      this.#end = bytes.length
      this.#isOwn = false
      return
    }

    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /** Takes the first `count` bytes, which must exist. */
  take(count: number): Uint8Array {
    const taken = this.#buffer.subarray(this.#start, this.#start + count)
    this.#start += count

    if (this.length === 0) {
      this.clear()
    }

    return taken
  }

  /** Copies the rest if it is a view of the caller's memory. */
  settle(): void {
    if (!this.#isOwn && this.length > 0) {
      this.#move(this.length)
    }
  }

  clear(): void {
    this.#buffer = NOTHING
    this.#start = 0
    this.#end = 0
    this.#isOwn = false
  }

  /**
   * Grows by doubling, so that single bytes are not copied as often. Bytes that were taken are never overwritten.
   */
  #reserve(more: number): void {
    if (!this.#isOwn || this.#end + more > this.#buffer.length) {
      this.#move(Math.max(this.length + more, 2 * this.length))
    }
  }

  #move(capacity: number): void {
    const moved = new Uint8Array(capacity)
    const { length } = this
    moved.set(this.#buffer.subarray(this.#start, this.#end))
    this.#buffer = moved
    this.#start = 0
    this.#end = length
    this.#isOwn = true
  }
}
