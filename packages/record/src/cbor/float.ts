/** Bytes of a float: half, single or double precision (IEEE 754). */
export type FloatSize = 2 | 4 | 8

/** Converts floats to bytes and back. Allocating a DataView for each would take longer than the rest. */
const scratch = new DataView(new ArrayBuffer(8))

/** The fewest bytes that hold the float without loss, not counting its head. */
export function floatSize(n: number): FloatSize {
  if (Math.fround(n) !== n) {
    return 8
  }

  return halfOf(n) === undefined ? 4 : 2
}

/** Writes a float of this size at this position. */
export function putFloat(n: number, size: FloatSize, to: Uint8Array, at: number): void {
  if (size === 8) {
    scratch.setFloat64(0, n)
  } else if (size === 4) {
    scratch.setFloat32(0, n)
  } else {
    scratch.setUint16(0, halfOf(n) as number)
  }

  for (let i = 0; i < size; i++) {
    to[at + i] = scratch.getUint8(i)
  }
}

/** Reads a float of this size at this position. */
export function floatAt(from: Uint8Array, at: number, size: FloatSize): number {
  for (let i = 0; i < size; i++) {
    scratch.setUint8(i, from[at + i] as number)
  }

  if (size === 2) {
    return fromHalf(scratch.getUint16(0))
  }

  return size === 4 ? scratch.getFloat32(0) : scratch.getFloat64(0)
}

/**
 * The 16 bits of a half-precision float that equals this single-precision one, if there is one.
 * Gives none for subnormal halves with several bits set: numbers below 2⁻¹⁴ that are not a power of two.
 */
function halfOf(n: number): number | undefined {
  scratch.setFloat32(0, n)
  const bits = scratch.getUint32(0)
  const sign = (bits >>> 16) & 0x8000
  const exponent = ((bits >>> 23) & 0xff) - 127
  const fraction = bits & 0x7fffff

  if (n === 0 || Math.abs(n) === Number.POSITIVE_INFINITY) {
    return sign | (n === 0 ? 0 : 0x7c00)
  }

  if (exponent < -14) {
    return exponent >= -24 && fraction === 0 ? sign | (1 << (exponent + 24)) : undefined
  }

  const fits = exponent <= 15 && (fraction & 0x1fff) === 0
  return fits ? sign | ((exponent + 15) << 10) | (fraction >> 13) : undefined
}

/** Decodes a half-precision float (RFC 8949, appendix D). */
function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff

  if (exponent === 0x1f) {
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  }

  return sign * (exponent === 0 ? fraction * 2 ** -24 : (fraction + 1024) * 2 ** (exponent - 25))
}
