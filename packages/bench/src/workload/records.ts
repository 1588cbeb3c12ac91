/** Bytes of each stored value. */
export const VALUE_BYTES = 100

export function keyFor(index: number): string {
  return `bench/${index}`
}

/** Returns a key that is never stored. */
export function missingFor(index: number): string {
  return `missing/${index}`
}

/** Returns the value of a number, which no other number has. */
export function valueFor(index: number): Uint8Array {
  return new TextEncoder().encode(`value ${index} `.padEnd(VALUE_BYTES, 'waggle '))
}

export function isValueFor(index: number, value: Uint8Array | undefined): boolean {
  return value !== undefined && Buffer.compare(value, valueFor(index)) === 0
}

/** Hands out unused numbers for keys. */
export class KeyNumbers {
  #next = 0

  take(count: number): number[] {
    return Array.from({ length: count }, () => this.#next++)
  }
}
