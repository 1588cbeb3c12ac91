import type { Random } from './random.ts'

/** Numbers at which behaviour often changes. */
const TELLING = [0, 1, 2, 4, 8, 16, 31, 32, 63, 64, 126, 127, 128, 129, 254, 255]

/** Material for changes of inputs, besides chance. */
export interface Material {
  readonly corpus: readonly Uint8Array[]

  /** Pieces that are meaningful to the target. */
  readonly words: readonly Uint8Array[]
  readonly maxBytes: number
}

type Change = (bytes: number[], random: Random, material: Material) => void

/** Makes bytes that are nearly those of a useful input. */
export function mutated(input: Uint8Array, random: Random, material: Material): Uint8Array {
  const bytes = Array.from(input)

  for (let left = 1 + random(4); left > 0; left--) {
    CHANGES[random(CHANGES.length)]?.(bytes, random, material)
  }

  return Uint8Array.from(bytes.slice(0, material.maxBytes))
}

const CHANGES: readonly Change[] = [
  (bytes, random) => set(bytes, random(bytes.length + 1), random(256)),
  (bytes, random) => set(bytes, random(bytes.length + 1), TELLING[random(TELLING.length)] ?? 0),
  (bytes, random) => {
    const at = random(bytes.length + 1)
    set(bytes, at, (bytes[at] ?? 0) ^ (1 << random(8)))
  },
  (bytes, random) => {
    const at = random(bytes.length + 1)
    set(bytes, at, (bytes[at] ?? 0) + (random(2) === 0 ? 1 : -1))
  },
  (bytes, random) => bytes.splice(random(bytes.length + 1), 0, random(256)),
  (bytes, random) => bytes.splice(random(bytes.length + 1), 1 + random(4)),
  (bytes, random) => {
    bytes.length = random(bytes.length + 1)
  },
  (bytes, random) => {
    const [from, at] = [random(bytes.length + 1), random(bytes.length + 1)]
    bytes.splice(at, 0, ...bytes.slice(from, from + 1 + random(16)))
  },
  (bytes, random, { corpus }) => {
    const other = corpus[random(corpus.length)] ?? []
    const from = random(other.length + 1)
    bytes.splice(random(bytes.length + 1), random(8), ...other.slice(from, from + random(64)))
  },
  (bytes, random, { words }) => {
    const word = words[random(words.length)] ?? []
    bytes.splice(random(bytes.length + 1), random(2) * word.length, ...word)
  }
]

function set(bytes: number[], at: number, value: number): void {
  bytes[at] = value & 0xff
}
