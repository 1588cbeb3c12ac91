const FIRST_CAPACITY = 256

/** Appends numbers and bytes to a buffer that grows. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_CAPACITY)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  get length(): number {
    return this.#length
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  /** Appends an unsigned integer of `size` bytes, big end first. */
  uint(value: number, size: 1 | 2 | 4): void {
    this.#reserve(size)

    for (let shift = 8 * (size - 1); shift >= 0; shift -= 8) {
      this.#bytes[this.#length++] = value >>> shift
    }
  }

  /** Appends 64 bits, big end first; negative numbers as two's complement. */
  int64(value: bigint): void {
    this.#reserve(8)
    this.#view.setBigInt64(this.#length, value)
    this.#length += 8
  }

  float64(value: number, isLittleEndian = false): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, isLittleEndian)
    this.#length += 8
  }

  /** Appends an unsigned LEB128 number below 2³². */
  varint(value: number): void {
    let rest = value

    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }

    this.byte(rest)
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  /** Returns the written bytes. The writer must not be used afterwards. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #reserve(more: number): void {
    const needed = this.#length + more

    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, needed))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
  }
}
