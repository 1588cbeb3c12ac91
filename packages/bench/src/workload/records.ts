/** Bytes of each value that is stored. */
export const VALUE_BYTES = 100

/** The key that a number stands for. */
export function keyFor(index: number): string {
  return `bench/${index}`
}

/** A key that nobody stores. */
export function missingFor(index: number): string {
  return `nobody/${index}`
}

/** A value that belongs to no other number. */
export function valueFor(index: number): Uint8Array {
  return new TextEncoder().encode(`value ${index} `.padEnd(VALUE_BYTES, 'waggle '))
}

/** Whether this is the value of the number. */
export function isValueFor(index: number, value: Uint8Array | undefined): boolean {
  return value !== undefined && Buffer.compare(value, valueFor(index)) === 0
}
