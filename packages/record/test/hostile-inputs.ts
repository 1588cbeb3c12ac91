/** Bytes of each hostile input. */
export const HOSTILE_BYTES: number = 1024 * 1024

/** The bytes of a record whose plain entry has a value: the value's own bytes follow. */
const PLAIN = [1, 0xa1, 0, 0xa2, 0, 10, 1]

/** A count of items that fills the rest of the input. */
const MILLION = [0x0f, 0xff, 0xf4]

/** Inputs that make a careless reader take far more memory than their bytes. */
export const HOSTILE_INPUTS: Readonly<Record<string, () => Uint8Array>> = {
  'nothing but the head of an empty array': () => filled([], 0x80),
  'nothing but the head of an array of one': () => filled([], 0x81),
  'nothing but null': () => filled([], 0xf6),
  'a million empty arrays': () => filled([...PLAIN, 0x9a, 0, ...MILLION], 0x80),
  'a million nulls': () => filled([...PLAIN, 0x9a, 0, ...MILLION], 0xf6),
  'a million empty objects': () => filled([...PLAIN, 0x9a, 0, ...MILLION], 0xa0),
  'a million empty byte strings': () => filled([...PLAIN, 0x9a, 0, ...MILLION], 0x40),
  'half a million bytes, each a byte string': () =>
    filled([...PLAIN, 0x9a, 0, 0x07, 0xff, 0xfa], 0x41),
  'half a million letters, each a string': () =>
    filled([...PLAIN, 0x9a, 0, 0x07, 0xff, 0xfa], 0x61),
  'half a million bigints': () => filled([...PLAIN, 0x9a, 0, 0x07, 0xff, 0xfa], 0xc2, 0x40),
  'arrays without end inside each other': () => filled(PLAIN, 0x81),
  'tags without end inside each other': () => filled(PLAIN, 0xc2),
  'an array that claims two to the 32nd items': () =>
    filled([...PLAIN, 0x9b, 0, 0, 0, 1, 0, 0, 0, 0], 0x80),
  'an object that claims two to the 32nd properties': () =>
    filled([...PLAIN, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0], 0x61, 0x80),
  'a byte string that claims two to the 32nd bytes': () =>
    filled([...PLAIN, 0x5b, 0, 0, 0, 1, 0, 0, 0, 0], 0x80),
  'one long byte string': () => filled([...PLAIN, 0x5a, 0, ...MILLION], 0x80),
  'one long string': () => filled([...PLAIN, 0x7a, 0, ...MILLION], 0x61),
  'one long string that is not UTF-8': () => filled([...PLAIN, 0x7a, 0, ...MILLION], 0x80),
  'one long subkey': () => filled([1, 0xa1, 1, 0xa1, 0x5a, 0, 0x0f, 0xff, 0xf4], 10, 0xa1, 0),
  'as many properties as fit': () => manyProperties(),
  'a dictionary that claims two to the 32nd subkeys': () =>
    filled([1, 0xa1, 1, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0], 0x80),
  'as many subkeys as fit': () => manySubkeys()
}

function filled(head: readonly number[], ...pattern: number[]): Uint8Array {
  const bytes = new Uint8Array(HOSTILE_BYTES)
  bytes.set(head)

  for (let i = head.length; i < bytes.length; i++) {
    bytes[i] = pattern[(i - head.length) % pattern.length] as number
  }

  return bytes
}

/** Makes a valid object. Each property has a name of three letters and is null. */
function manyProperties(): Uint8Array {
  const count = Math.floor((HOSTILE_BYTES - 12) / 5)
  const head = [...PLAIN, 0xba, ...bigEndian(count, 4)]
  return ascending(head, count, (i) => [0x63, ...letters(i), 0xf6])
}

/** Makes a valid dictionary. Each subkey is an integer and holds a tombstone. */
function manySubkeys(): Uint8Array {
  const count = Math.floor((HOSTILE_BYTES - 8) / 8)
  const head = [1, 0xa1, 1, 0xba, ...bigEndian(count, 4)]
  return ascending(head, count, (i) => [0x1a, ...bigEndian(0x10000 + i, 4), 0xa1, 0, 10])
}

function ascending(
  head: readonly number[],
  count: number,
  item: (i: number) => readonly number[]
): Uint8Array {
  const size = item(0).length
  const bytes = new Uint8Array(head.length + count * size)
  bytes.set(head)

  for (let i = 0; i < count; i++) {
    bytes.set(item(i), head.length + i * size)
  }

  return bytes
}

function bigEndian(n: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => (n >>> (8 * (bytes - 1 - i))) & 0xff)
}

/** Three 7-bit characters that ascend with i. */
function letters(i: number): number[] {
  return [(i >>> 14) & 0x7f, (i >>> 7) & 0x7f, i & 0x7f]
}
