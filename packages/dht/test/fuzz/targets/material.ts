import { readFileSync } from 'node:fs'
import { fromString } from 'uint8arrays/from-string'

interface Examples {
  readonly good: readonly { readonly hex: string }[]
  readonly bad: readonly { readonly hex: string }[]
}

/** Returns the bytes of a file with good and bad examples, below `packages`. */
export function examples(file: string): Uint8Array[] {
  const { good, bad }: Examples = read(file)
  return [...good, ...bad].map(({ hex }) => bytesOf(hex))
}

/** Reads a JSON file, below `packages`. */
export function read<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`../../../../${file}`, import.meta.url), 'utf8'))
}

export function bytesOf(hex: string): Uint8Array {
  return fromString(hex.replaceAll(' ', ''), 'hex')
}

export function words(...texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => fromString(text))
}

/** Heads of all types in CBOR, and floats. */
export const CBOR: readonly Uint8Array[] = [
  '01a100',
  'a2000a01',
  'a101a1',
  'fb',
  'f97e00',
  '1b',
  '3b',
  '5f',
  '9f',
  'bf',
  'd9',
  'ff'
].map(bytesOf)

/** Cuts bytes into pieces of one size, the last one excepted. */
export function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / size)
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

/** Reads the byte strings of an input, each after a byte with its length. */
export function strings(input: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = []

  for (let at = 0; at < input.length; at += 1 + (input[at] ?? 0)) {
    found.push(input.subarray(at + 1, at + 1 + (input[at] ?? 0)))
  }

  return found
}

/** Makes the input from which {@link strings} reads these parts. */
export function stringsInput(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((bytes) => [bytes.length, ...bytes]))
}
